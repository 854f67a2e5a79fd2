// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/new_analysis_dialog.h"

#include "core/experiments/pruning_curves.h"
#include "widgets/models/summary_text.h"
#include "widgets/panels/form_section.h"
#include "widgets/panels/inspector_pages.h"
#include "widgets/panels/message_bar.h"
#include "widgets/panels/path_field.h"
#include "widgets/panels/text_source_editor.h"
#include "widgets/support/format.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QPushButton>
#include <QScreen>
#include <QSpinBox>
#include <QVBoxLayout>

#include <algorithm>

namespace moescope::widgets {
namespace {

constexpr int kCardDelayMs = 300;
constexpr int kEstimateDelayMs = 500;
constexpr int kMaxTokens = 100'000'000;
constexpr int kWidth = 980;
constexpr int kHeight = 680;
constexpr int kUsualRows = 12;  // experiments in view at that height
constexpr int kFewestRows = 4;  // and beside messages
constexpr int kKeptLines = 2;   // of a message, where nothing beside it stretches
constexpr int kAround = 80;     // title and panels of a desktop
constexpr QLatin1String kFolderKey("analysis/folder");

QSpinBox* limitField(const QString& name, const QString& none, QWidget* parent) {
    auto* field = new QSpinBox(parent);
    field->setObjectName(name);
    field->setRange(0, kMaxTokens);
    field->setSpecialValueText(none);
    return field;
}

std::optional<int> limitOf(const QSpinBox& field) {
    return field.value() > 0 ? std::optional<int>(field.value()) : std::nullopt;
}

}  // namespace

NewAnalysisDialog::NewAnalysisDialog(Workspace& workspace, QWidget* parent)
    : QDialog(parent),
      m_workspace(workspace),
      m_experiments(new ExperimentChoiceModel(this)),
      m_estimate(new QLabel(this)),
      m_start(new QPushButton(tr("Start"), this)),
      m_cardProcess(workspace.paths().engine),
      m_estimateProcess(workspace.paths().engine) {
    setObjectName(QStringLiteral("newAnalysisDialog"));
    setWindowTitle(tr("New analysis"));
    m_cardTimer.setSingleShot(true);
    m_cardTimer.setInterval(kCardDelayMs);
    m_estimateTimer.setSingleShot(true);
    m_estimateTimer.setInterval(kEstimateDelayMs);
    build();
    connectParts();
    // All experiments in view where the screen has room for them, below a window's title.
    const int room = screen()->availableGeometry().height() - kAround;
    const int rows = m_experiments->rowCount() - kUsualRows;
    resize(kWidth, std::clamp(kHeight + rows * rowHeight(), kHeight, std::max(room, kHeight)));
    scheduleEstimate();
}

FormSection& NewAnalysisDialog::section(RequestField field) {
    return *m_sections.value(field);
}

FormSection* NewAnalysisDialog::addSection(RequestField field, const QString& name,
                                           const QString& title, QWidget* content, int stretch) {
    auto* part = new FormSection(name, title, this);
    part->addContent(content, stretch);
    m_sections.insert(field, part);
    return part;
}

QWidget* NewAnalysisDialog::checkpointPart() {
    auto* part = new QWidget(this);
    m_checkpoint = new PathField(QStringLiteral("checkpointPath"), PathField::What::Folder,
                                 tr("Checkpoint folder"), part);
    m_checkpoint->setPlaceholder(tr("Checkpoint folder, or GGUF file"));
    m_card = new PropertyPage(QStringLiteral("checkpointCard"), part);
    m_card->setMinimumHeight(6 * fontMetrics().lineSpacing());
    auto* column = new QVBoxLayout(part);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4);
    m_cardHint =
        new QLabel(tr("What the model is appears here: its family, layers, experts, router "
                      "and parameters."),
                   part);
    m_cardHint->setObjectName(QStringLiteral("checkpointHint"));
    m_cardHint->setWordWrap(true);
    m_cardHint->setForegroundRole(QPalette::PlaceholderText);
    column->addWidget(m_checkpoint);
    column->addWidget(m_cardHint);
    column->addWidget(m_card, 1);
    return part;
}

int NewAnalysisDialog::rowHeight() const {
    return fontMetrics().height() + 4;
}

QWidget* NewAnalysisDialog::listsRow(QWidget* parent) {
    auto* row = new QWidget(parent);
    m_pruneLists = new PathField(QStringLiteral("pruneListsPath"), PathField::What::Files,
                                 tr("Prune lists"), row);
    m_pruneLists->setFilter(tr("Prune lists (*.json);;All files (*)"));
    m_pruneLists->setPlaceholder(tr("optional"));
    m_pruneLists->setToolTip(
        tr("Experts that are removed together, JSON as the table of importance exports it. "
           "Measured with the pruning curves."));
    m_listsOnly = new QCheckBox(tr("lists only"), row);
    m_listsOnly->setObjectName(QStringLiteral("listsOnlyCheck"));
    m_listsOnly->setToolTip(
        tr("Measures the lists alone: one pass each, where the curves take %1. They can come "
           "later.")
            .arg(experiments::kCurveBranches));
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(m_pruneLists, 1);
    layout->addWidget(m_listsOnly);
    return row;
}

QWidget* NewAnalysisDialog::experimentsPart() {
    auto* part = new QWidget(this);
    auto* list = new QListView(part);
    list->setObjectName(QStringLiteral("experimentList"));
    list->setAccessibleName(tr("Experiments"));
    list->setModel(m_experiments);
    list->setMinimumHeight(kFewestRows * rowHeight());
    list->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Ignored);  // the rest of the room
    m_removals = new QLineEdit(part);
    m_removals->setObjectName(QStringLiteral("removalsEdit"));
    m_removals->setPlaceholderText(tr("each in turn"));
    m_removals->setToolTip(
        tr("Experts that are removed together: layer:expert, for example 0:3,5:1, or 3 for expert "
           "3 of every layer; a semicolon between sets, each beside others of like load. With all "
           "among them each is removed in turn as well."));
    auto* form = new QFormLayout;
    form->addRow(tr("Removed experts"), m_removals);
    m_choices = new PathField(QStringLiteral("choicesPath"), PathField::What::Files,
                              tr("Multiple-choice questions"), part);
    m_choices->setFilter(tr("Questions (*.jsonl);;All files (*)"));
    m_choices->setPlaceholder(tr("optional"));
    m_choices->setToolTip(
        tr("Multiple-choice questions that the model answers without its experts: JSONL, on each "
           "line {\"question\": ..., \"choices\": [...], \"answer\": index of the right one from "
           "0}. Asked by the removal of experts, fewer experts and pruning curves."));
    form->addRow(tr("Questions"), m_choices);
    form->addRow(tr("Prune lists"), listsRow(part));
    auto* column = new QVBoxLayout(part);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4);
    column->addWidget(list, 1);
    column->addLayout(form);
    m_experimentsColumn = column;
    return part;
}

QWidget* NewAnalysisDialog::machinePart() {
    auto* part = new QWidget(this);
    m_device = new QComboBox(part);
    m_device->setObjectName(QStringLiteral("deviceCombo"));
    m_device->setEditable(true);
    m_device->addItems({QStringLiteral("auto"), QStringLiteral("cpu"), QStringLiteral("cuda")});
    m_device->setToolTip(
        tr("auto takes a GPU when there is one, cuda all there are; cuda:1 names the second one"));
    m_dtype = new QComboBox(part);
    m_dtype->setObjectName(QStringLiteral("dtypeCombo"));
    m_dtype->addItem(tr("automatic"), QString());
    m_dtype->addItem(QStringLiteral("float32"), QStringLiteral("float32"));
    m_dtype->addItem(QStringLiteral("bfloat16"), QStringLiteral("bfloat16"));
    m_memory = new QLineEdit(part);
    m_memory->setObjectName(QStringLiteral("memoryEdit"));
    m_memory->setPlaceholderText(tr("most of what is free"));
    m_memory->setToolTip(tr("What the run may use, for example 8GiB; layers stream through it"));
    m_maxTokens = limitField(QStringLiteral("maxTokens"), tr("all"), part);
    m_context = limitField(QStringLiteral("contextLength"), tr("whole documents"), part);
    m_kept = new QLineEdit(part);
    m_kept->setObjectName(QStringLiteral("keptEdit"));
    m_kept->setPlaceholderText(tr("the first ones"));
    m_kept->setToolTip(
        tr("Tokens whose own similarity maps and intermediate states are kept: numbers and ranges "
           "such as 100-163,4000, or spread for some at equal distances. Means are of all "
           "tokens."));
    auto* left = new QFormLayout;
    left->addRow(tr("Device"), m_device);
    left->addRow(tr("Computed in"), m_dtype);
    left->addRow(tr("Memory"), m_memory);
    auto* right = new QFormLayout;
    right->addRow(tr("Tokens"), m_maxTokens);
    right->addRow(tr("Context"), m_context);
    right->addRow(tr("Kept tokens"), m_kept);
    auto* row = new QHBoxLayout(part);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(16);
    row->addLayout(left, 1);
    row->addLayout(right, 1);
    return part;
}

void NewAnalysisDialog::build() {
    m_text = new TextSourceEditor(m_workspace.paths().demoText, this);
    m_baseline = new PathField(QStringLiteral("baselinePaths"), PathField::What::Folder,
                               tr("Dense baseline"), this);
    m_baseline->setPlaceholder(tr("Optional, of the same shape; several with \"; \" between"));
    m_output = new PathField(QStringLiteral("outputPath"), PathField::What::NewFile,
                             tr("Session file"), this);
    m_output->setFilter(tr("Sessions (*.h5)"));

    auto* left = new QVBoxLayout;
    left->setSpacing(16);
    left->addWidget(addSection(RequestField::Checkpoint, QStringLiteral("checkpointSection"),
                               tr("Checkpoint"), checkpointPart(), 1),
                    1);
    left->addWidget(addSection(RequestField::Baselines, QStringLiteral("baselineSection"),
                               tr("Dense baseline"), m_baseline));
    left->addWidget(addSection(RequestField::Machine, QStringLiteral("machineSection"),
                               tr("Machine"), machinePart()));
    auto* right = new QVBoxLayout;
    right->setSpacing(16);
    right->addWidget(
        addSection(RequestField::Text, QStringLiteral("textSection"), tr("Text"), m_text, 1), 1);
    right->addWidget(addSection(RequestField::Experiments, QStringLiteral("experimentsSection"),
                                tr("Experiments"), experimentsPart(), 1),
                     3);
    right->addWidget(
        addSection(RequestField::Output, QStringLiteral("outputSection"), tr("Session"), m_output));
    placeMessages();
    auto* columns = new QHBoxLayout;
    columns->setSpacing(24);
    columns->addLayout(left, 1);
    columns->addLayout(right, 1);

    m_estimate->setObjectName(QStringLiteral("estimateLabel"));
    m_estimate->setWordWrap(true);
    m_start->setObjectName(QStringLiteral("startButton"));
    m_start->setDefault(true);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    buttons->addButton(m_start, QDialogButtonBox::ActionRole);
    auto* bottom = new QHBoxLayout;
    bottom->setSpacing(16);
    bottom->addWidget(m_estimate, 1);
    bottom->addWidget(buttons);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 16, 16, 16);
    column->setSpacing(16);
    column->addLayout(columns, 1);
    column->addLayout(bottom);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_start, &QPushButton::clicked, this, &NewAnalysisDialog::start);
}

/// So that no field moves when a message appears: it takes its room from the list or the card that
/// stretches beside it, or has it kept.
void NewAnalysisDialog::placeMessages() {
    m_experimentsColumn->insertWidget(1, &section(RequestField::Experiments).messages());
    for (const RequestField field :
         {RequestField::Text, RequestField::Baselines, RequestField::Machine}) {
        section(field).messages().keepRoom(kKeptLines);
    }
    section(RequestField::Output).messages().keepRoom(kKeptLines + 1);  // the longest
}

void NewAnalysisDialog::connectParts() {
    connect(m_checkpoint, &PathField::changed, this, &NewAnalysisDialog::takeCheckpoint);
    const auto schedule = [this] { scheduleEstimate(); };
    connect(m_text, &TextSourceEditor::changed, this, [this, schedule] {
        takeTarget();
        schedule();
    });
    connect(m_baseline, &PathField::changed, this, schedule);
    connect(m_output, &PathField::changed, this, [this, schedule] {
        takeTarget();
        schedule();
    });
    connect(m_experiments, &ExperimentChoiceModel::chosenChanged, this, schedule);
    connect(m_device, &QComboBox::currentTextChanged, this, schedule);
    connect(m_dtype, &QComboBox::currentIndexChanged, this, schedule);
    connect(m_memory, &QLineEdit::textChanged, this, schedule);
    connect(m_kept, &QLineEdit::textChanged, this, schedule);
    connect(m_removals, &QLineEdit::textChanged, this, schedule);
    connect(m_choices, &PathField::changed, this, schedule);
    connect(m_pruneLists, &PathField::changed, this, [this, schedule] {
        m_listsOnly->setEnabled(!m_pruneLists->paths().isEmpty());
        schedule();
    });
    m_listsOnly->setEnabled(false);
    connect(m_listsOnly, &QCheckBox::toggled, this, schedule);
    connect(m_maxTokens, &QSpinBox::valueChanged, this, schedule);
    connect(m_context, &QSpinBox::valueChanged, this, schedule);
    connect(&m_cardTimer, &QTimer::timeout, this, &NewAnalysisDialog::askCard);
    connect(&m_estimateTimer, &QTimer::timeout, this, &NewAnalysisDialog::askEstimate);
    connect(&m_cardProcess, &EngineProcess::ended, this, &NewAnalysisDialog::takeCard);
    connect(&m_estimateProcess, &EngineProcess::eventReceived, this,
            &NewAnalysisDialog::takeEstimate);
    connect(&m_estimateProcess, &EngineProcess::ended, this, &NewAnalysisDialog::takeEstimateEnd);
    RunController& run = m_workspace.run();
    connect(&run, &RunController::failed, this, [this](const Problem& problem) {
        if (m_starting) {
            setStarting(false);
            dropCopy();
            showProblem(fieldOf(problem), problem);
        }
    });
    const auto accepted = [this] {
        if (m_starting) {
            setStarting(false);
            accept();
        }
    };
    connect(&run, &RunController::partDone, this, accepted);
    connect(&run, &RunController::finished, this, accepted);
    connect(&run, &RunController::cancelled, this, [this] {
        if (m_starting) {
            setStarting(false);
            dropCopy();
        }
    });
}

AnalysisRequest NewAnalysisDialog::request() const {
    AnalysisRequest request;
    request.checkpoint = m_checkpoint->path();
    m_text->fill(request);
    request.baselines = m_baseline->paths();
    request.experiments = m_experiments->chosen();
    request.device = m_device->currentText().trimmed();
    request.dtype = m_dtype->currentData().toString();
    request.memory = m_memory->text().trimmed();
    request.removals = m_removals->text().trimmed();
    request.choices = m_choices->path();
    request.pruneLists = m_pruneLists->paths();
    request.pruneListsOnly = m_listsOnly->isEnabled() && m_listsOnly->isChecked();
    request.keptFrom = m_kept->text().simplified().remove(QLatin1Char(' '));
    request.maxTokens = limitOf(*m_maxTokens);
    request.contextLength = limitOf(*m_context);
    request.output = m_output->path();
    if (request.textKind == TextKind::Session) {
        request.session = m_session->path;
        request.isCopied = m_sessionOutput != request.session && request.output != request.session;
    }
    if (isAdding() && !m_replay.isEmpty()) {
        request.replay = m_replay;
        request.replay[1] = request.checkpoint;
    }
    request.resume = QFileInfo::exists(request.output + QStringLiteral(".partial"));
    return request;
}

void NewAnalysisDialog::setCheckpoint(const QString& path) {
    m_checkpoint->setPath(path);
}

void NewAnalysisDialog::setOutput(const QString& path) {
    m_output->setPath(path);
}

void NewAnalysisDialog::setExperiments(const QStringList& ids) {
    m_experiments->setChosen(ids);
}

void NewAnalysisDialog::setPruneLists(const QStringList& files, bool only) {
    m_pruneLists->setPaths(files);
    m_listsOnly->setChecked(only);
}

void NewAnalysisDialog::takeCheckpoint() {
    suggestOutput();
    m_cardTimer.start();
    scheduleEstimate();
}

void NewAnalysisDialog::suggestOutput() {
    const bool untouched = m_output->path().isEmpty() || m_output->path() == m_suggested;
    const QFileInfo given(m_checkpoint->path());
    const QString model = given.isFile() ? given.completeBaseName() : given.fileName();
    if (!untouched || model.isEmpty()) {
        return;
    }
    const QString folder = m_workspace.settings().folder(kFolderKey);
    QString name = model + QStringLiteral(".h5");
    for (int n = 2; QFileInfo::exists(QDir(folder).filePath(name)); ++n) {
        name = QStringLiteral("%1-%2.h5").arg(model).arg(n);
    }
    m_suggested = QDir(folder).filePath(name);
    m_output->setPath(m_suggested);
}

void NewAnalysisDialog::askCard() {
    section(RequestField::Checkpoint).messages().clear();
    m_card->setProperties({});
    const QString path = m_checkpoint->path();
    if (!QFileInfo::exists(path)) {
        return;
    }
    if (m_cardProcess.isRunning()) {
        m_cardAgain = true;
        return;
    }
    m_cardProcess.start({QStringLiteral("info"), path, QStringLiteral("--json")});
}

void NewAnalysisDialog::takeCard(EngineProcess::End end, const Problem& problem) {
    if (m_cardAgain) {
        m_cardAgain = false;
        askCard();
        return;
    }
    if (end == EngineProcess::End::Failed) {
        showProblem(RequestField::Checkpoint, problem);
    } else {
        m_cardHint->hide();
        m_card->setProperties(cardOfJson(m_cardProcess.plainOutput()));
        if (m_cardProcess.plainOutput().contains("\"checkpoints\"")) {
            section(RequestField::Checkpoint)
                .messages()
                .showMessage(MessageBar::Kind::Info,
                             tr("This folder holds several checkpoints: choose one of them."));
        }
    }
}

void NewAnalysisDialog::scheduleEstimate() {
    m_estimateTimer.start();
}

void NewAnalysisDialog::askEstimate() {
    const QList<RequestProblem> problems = check(request());
    if (m_starting || !problems.isEmpty()) {
        m_estimate->setText(m_starting ? QString() : problems.first().message);
        return;
    }
    if (m_estimateProcess.isRunning()) {
        m_estimateAgain = true;
        return;
    }
    clearProblems();
    m_estimate->setText(tr("Estimating..."));
    m_estimateProcess.start(analyzeArguments(request(), true));
}

void NewAnalysisDialog::takeEstimate(const session::RunEvent& event) {
    if (event.kind != session::RunEvent::Kind::Estimate) {
        return;
    }
    QStringList parts;
    if (event.seconds > 0.0) {
        const QString duration = formatDuration(event.seconds);
        parts << (event.seconds < 1.0 ? duration : tr("about %1").arg(duration));
    }
    parts << tr("%1 of memory").arg(formatBytes(static_cast<double>(event.memoryBytes)))
          << tr("%1 on disk").arg(formatBytes(static_cast<double>(event.diskBytes)))
          << tr("reads %1").arg(formatBytes(static_cast<double>(event.readBytes)));
    m_estimate->setText(tr("Estimate: %1").arg(parts.join(QStringLiteral(", "))));
}

void NewAnalysisDialog::takeEstimateEnd(EngineProcess::End end, const Problem& problem) {
    if (m_estimateAgain) {
        m_estimateAgain = false;
        askEstimate();
        return;
    }
    if (end == EngineProcess::End::Failed && !m_starting) {
        m_estimate->clear();
        showProblem(fieldOf(problem), problem);
    }
}

void NewAnalysisDialog::clearProblems() {
    for (FormSection* part : std::as_const(m_sections)) {
        part->messages().clear();
    }
}

void NewAnalysisDialog::showProblem(RequestField field, const Problem& problem) {
    section(field).messages().showProblem(problem);
}

void NewAnalysisDialog::setStarting(bool starting) {
    m_starting = starting;
    m_start->setEnabled(!starting);
    for (FormSection* part : std::as_const(m_sections)) {
        part->setEnabled(!starting);
    }
    m_estimate->setText(starting ? tr("Starting...") : QString());
}

void NewAnalysisDialog::start() {
    const AnalysisRequest wanted = request();
    clearProblems();
    const QList<RequestProblem> problems = check(wanted);
    for (const RequestProblem& problem : problems) {
        showProblem(problem.field, Problem{{}, problem.message, {}});
    }
    if (!problems.isEmpty()) {
        return;
    }
    if (m_workspace.run().isRunning()) {
        showProblem(RequestField::Output,
                    {{}, tr("Another analysis is running. Wait for it or cancel it first."), {}});
        return;
    }
    if (!makeCopy(wanted)) {
        return;
    }
    if (!isAdding()) {
        m_workspace.settings().setValue(kFolderKey, QFileInfo(wanted.output).absolutePath());
    }
    setStarting(true);
    m_workspace.run().start(wanted);
}

}  // namespace moescope::widgets
