// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/export_dialog.h"

#include "core/base/error.h"
#include "widgets/figures/figure_view.h"
#include "widgets/panels/figure_panel.h"
#include "widgets/panels/message_bar.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QRegularExpression>
#include <QVBoxLayout>

namespace moescope::widgets {
namespace {

constexpr auto kFolderKey = QLatin1String("export/folder");
constexpr auto kFormatKey = QLatin1String("export/format");
constexpr auto kWidthKey = QLatin1String("export/width");
constexpr auto kDpiKey = QLatin1String("export/dpi");
constexpr auto kThemeKey = QLatin1String("export/theme");
constexpr auto kTitleKey = QLatin1String("export/title");
constexpr auto kCaptionKey = QLatin1String("export/caption");

constexpr std::uint64_t kTokensOfAPage = 128;

QString fromView(std::string_view view) {
    return QString::fromUtf8(view.data(), static_cast<qsizetype>(view.size()));
}

QString rangeText(const TokenRange& range) {
    return QStringLiteral("%1-%2").arg(range.first).arg(range.end() - 1);
}

QString rangesText(const figures::TokenSelection& tokens) {
    QStringList ranges;
    for (const TokenRange& range : tokens.ranges()) {
        ranges << rangeText(range);
    }
    return ranges.join(QLatin1Char(','));
}

QString safeName(const QString& name) {
    static const QRegularExpression other(QStringLiteral("[^A-Za-z0-9._-]+"));
    QString safe = name;
    return safe.replace(other, QStringLiteral("-"));
}

QDoubleSpinBox* numberField(const QString& name, double low, double high, double value,
                            const QString& suffix, QWidget* parent) {
    auto* field = new QDoubleSpinBox(parent);
    field->setObjectName(name);
    field->setRange(low, high);
    field->setDecimals(0);
    field->setValue(value);
    field->setSuffix(suffix);
    return field;
}

}  // namespace

ExportDialog::ExportDialog(Workspace& workspace, const FigurePanel& panel, QWidget* parent)
    : QDialog(parent),
      m_workspace(workspace),
      m_session(workspace.current()),
      m_panel(panel),
      m_request(panel.requestFor()),
      m_sessions(panel.sessions()),
      m_one(new QRadioButton(tr("The figure as shown"), this)),
      m_all(new QRadioButton(tr("This figure for every layer"), this)),
      m_format(new QComboBox(this)),
      m_width(numberField(QStringLiteral("exportWidth"), 40, 500, 174, tr(" mm"), this)),
      m_dpi(numberField(QStringLiteral("exportDpi"), 72, 1200, 300, tr(" dpi"), this)),
      m_theme(new QComboBox(this)),
      m_title(new QCheckBox(tr("Title"), this)),
      m_caption(new QCheckBox(tr("Caption: definition, tokens, dtype"), this)),
      m_tokens(new QLineEdit(this)),
      m_folder(new QLineEdit(this)),
      m_messages(new MessageBar(this)),
      m_progress(new QLabel(this)),
      m_export(new QPushButton(tr("Export"), this)),
      m_runner(workspace.sessions().lane()) {
    setObjectName(QStringLiteral("exportDialog"));
    setWindowTitle(tr("Export %1").arg(fromView(panel.info().title).toLower()));
    build();
    updateControls();
}

void ExportDialog::setUpControls() {
    m_one->setObjectName(QStringLiteral("exportOne"));
    m_all->setObjectName(QStringLiteral("exportAll"));
    m_one->setChecked(true);
    m_all->setEnabled(m_panel.info().perLayer);
    m_format->setObjectName(QStringLiteral("exportFormat"));
    m_format->addItem(tr("PNG image"), QStringLiteral("png"));
    m_format->addItem(tr("SVG drawing, text as text"), QStringLiteral("svg"));
    m_format->addItem(tr("PDF"), QStringLiteral("pdf"));
    m_format->addItem(tr("CSV, the data behind the figure"), QStringLiteral("csv"));
    if (m_panel.info().prunes) {
        m_format->addItem(tr("JSON, the experts that would go"), QStringLiteral("json"));
    }
    m_theme->setObjectName(QStringLiteral("exportTheme"));
    m_theme->addItem(tr("Light"), false);
    m_theme->addItem(tr("Dark"), true);
    m_tokens->setObjectName(QStringLiteral("exportTokens"));
    m_tokens->setToolTip(
        tr("First and last token, as 0-127, or several ranges, as 0-9,20-29; \"all\" for the "
           "whole text"));
    m_folder->setObjectName(QStringLiteral("exportFolder"));
    m_folder->setText(QDir::toNativeSeparators(m_workspace.settings().folder(kFolderKey)));
    m_export->setObjectName(QStringLiteral("exportButton"));
    m_export->setDefault(true);
    recall();
}

/// What was chosen for the last export.
void ExportDialog::recall() {
    const Settings& settings = m_workspace.settings();
    m_format->setCurrentIndex(std::max(0, m_format->findData(settings.value(kFormatKey))));
    for (const auto& [field, key] : {std::pair(m_width, kWidthKey), std::pair(m_dpi, kDpiKey)}) {
        bool isNumber = false;
        const double value = settings.value(key).toDouble(&isNumber);
        if (isNumber) {
            field->setValue(value);
        }
    }
    m_theme->setCurrentIndex(settings.value(kThemeKey) == QLatin1String("dark") ? 1 : 0);
    m_title->setChecked(settings.value(kTitleKey) != QLatin1String("no"));
    m_caption->setChecked(settings.value(kCaptionKey) != QLatin1String("no"));
}

void ExportDialog::remember() {
    Settings& settings = m_workspace.settings();
    const auto word = [](const QCheckBox* box) {
        return box->isChecked() ? QStringLiteral("yes") : QStringLiteral("no");
    };
    settings.setValue(kFolderKey, folder());
    settings.setValue(kFormatKey, m_format->currentData().toString());
    settings.setValue(kWidthKey, QString::number(m_width->value()));
    settings.setValue(kDpiKey, QString::number(m_dpi->value()));
    settings.setValue(kThemeKey, m_theme->currentData().toBool() ? QStringLiteral("dark")
                                                                 : QStringLiteral("light"));
    settings.setValue(kTitleKey, word(m_title));
    settings.setValue(kCaptionKey, word(m_caption));
}

QLayout* ExportDialog::widthChoice() {
    auto* presets = new QHBoxLayout;
    presets->addWidget(m_width, 1);
    for (const int width : {85, 120, 174}) {
        auto* preset = new QPushButton(tr("%1").arg(width), this);
        preset->setToolTip(tr("%1 mm").arg(width));
        preset->setAutoDefault(false);
        connect(preset, &QPushButton::clicked, this, [this, width] { m_width->setValue(width); });
        presets->addWidget(preset);
    }
    return presets;
}

QLayout* ExportDialog::folderChoice() {
    auto* browse = new QPushButton(tr("Browse..."), this);
    browse->setAutoDefault(false);
    connect(browse, &QPushButton::clicked, this, [this] {
        auto* dialog = new QFileDialog(this, tr("Export to folder"), folder());
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setFileMode(QFileDialog::Directory);
        connect(dialog, &QFileDialog::fileSelected, m_folder, &QLineEdit::setText);
        dialog->open();
    });
    auto* where = new QHBoxLayout;
    where->addWidget(m_folder, 1);
    where->addWidget(browse);
    return where;
}

void ExportDialog::build() {
    setUpControls();
    auto* form = new QFormLayout;
    form->setSpacing(8);
    form->addRow(tr("What"), m_one);
    form->addRow(QString(), m_all);
    if (growsWithText()) {
        m_tokens->setText(suggestedTokens());
        form->addRow(tr("Tokens"), tokenChoice());
    } else {
        m_tokens->hide();
    }
    form->addRow(tr("Format"), m_format);
    form->addRow(tr("Width"), widthChoice());
    form->addRow(tr("Resolution"), m_dpi);
    form->addRow(tr("Theme"), m_theme);
    form->addRow(tr("With"), m_title);
    form->addRow(QString(), m_caption);
    form->addRow(tr("Folder"), folderChoice());

    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    buttons->addButton(m_export, QDialogButtonBox::AcceptRole);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 16, 16, 16);
    column->setSpacing(12);
    column->addLayout(form);
    column->addWidget(m_messages);
    column->addWidget(m_progress);
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_export, &QPushButton::clicked, this, &ExportDialog::begin);
    connect(m_format, &QComboBox::currentIndexChanged, this, &ExportDialog::updateControls);
}

ExportOptions ExportDialog::options() const {
    ExportOptions options;
    options.format =
        parseFileFormat(m_format->currentData().toString().toStdString()).value_or(FileFormat::Png);
    options.widthMm = m_width->value();
    options.dpi = m_dpi->value();
    options.dark = m_theme->currentData().toBool();
    options.withTitle = m_title->isChecked();
    options.withCaption = m_caption->isChecked();
    return options;
}

void ExportDialog::updateControls() {
    const FileFormat format = options().format;
    const bool picture = isPicture(format);
    m_dpi->setEnabled(format == FileFormat::Png);
    m_width->setEnabled(picture);
    m_theme->setEnabled(picture);
    m_title->setEnabled(picture);
    m_caption->setEnabled(picture);
}

QString ExportDialog::folder() const {
    return QDir::fromNativeSeparators(m_folder->text());
}

QString ExportDialog::fileName(std::optional<LayerId> layer) const {
    QString name = safeName(QString::fromStdString(m_session->head().model.name)) +
                   QLatin1Char('_') + fromView(m_panel.info().name);
    if (layer) {
        name += QStringLiteral("_layer-%1").arg(layer->value, 2, 10, QLatin1Char('0'));
    }
    if (m_request.expert) {
        name += QStringLiteral("_expert-%1").arg(*m_request.expert);
    }
    return name + QLatin1Char('.') + fromView(suffix(options().format));
}

/// Nothing that lies there is written over: the next free number is added.
QString ExportDialog::freePath(std::optional<LayerId> layer) const {
    const QDir where(folder());
    const QFileInfo wanted(where.filePath(fileName(layer)));
    QString path = wanted.filePath();
    for (int number = 2; QFileInfo::exists(path); ++number) {
        path = where.filePath(QStringLiteral("%1-%2.%3")
                                  .arg(wanted.completeBaseName())
                                  .arg(number)
                                  .arg(wanted.suffix()));
    }
    return path;
}

bool ExportDialog::growsWithText() const {
    return m_panel.info().takesTokens && m_panel.info().experiment == "chosen_experts";
}

// The field, and buttons that fill it in.
QWidget* ExportDialog::tokenChoice() {
    auto* row = new QWidget(this);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_tokens, 1);
    const auto add = [&](const QString& name, const QString& text, const QString& toolTip,
                         const QString& tokens) {
        auto* button = new QPushButton(text, row);
        button->setObjectName(name);
        button->setToolTip(toolTip);
        button->setAutoDefault(false);
        button->setEnabled(!tokens.isEmpty());
        connect(button, &QPushButton::clicked, m_tokens,
                [this, tokens] { m_tokens->setText(tokens); });
        layout->addWidget(button);
    };
    const auto view = m_panel.view().tokensInView();
    add(QStringLiteral("exportVisible"), tr("Visible"), tr("The passage that is in view"),
        view ? rangeText(*view) : QString());
    const auto selected = m_workspace.selection().selectedTokens();
    add(QStringLiteral("exportSelected"), tr("Selected"), tr("The selected tokens"),
        selected ? rangesText(*selected) : QString());
    add(QStringLiteral("exportWhole"), tr("All"), tr("The whole text"), QStringLiteral("all"));
    return row;
}

QString ExportDialog::suggestedTokens() const {
    const std::uint64_t count = m_session->head().corpus.tokenCount();
    if (const auto selected = m_workspace.selection().selectedTokens()) {
        return rangesText(*selected);
    }
    if (m_panel.info().ofSelection) {
        return QStringLiteral("all");  // it sums them up, and is as large for all
    }
    const auto view = m_panel.view().tokensInView();
    if (m_panel.info().hasSideBySide && view && view->count < count) {
        return rangeText(*view);
    }
    return count <= kTokensOfAPage ? QStringLiteral("all")
                                   : QStringLiteral("0-%1").arg(kTokensOfAPage - 1);
}

bool ExportDialog::readTokens() {
    const QString text = m_tokens->text().trimmed();
    if (!growsWithText()) {
        return true;
    }
    m_request.tokens.reset();
    if (text.isEmpty() || text == QLatin1String("all")) {
        return true;
    }
    try {
        m_request.tokens =
            figures::parseTokens(text.toStdString(), m_session->head().corpus.tokenCount());
        return true;
    } catch (const Error& error) {
        m_messages->showMessage(MessageBar::Kind::Error, QString::fromUtf8(error.what()));
        return false;
    }
}

void ExportDialog::begin() {
    m_messages->clear();
    m_written.clear();
    m_pending.clear();
    if (!readTokens()) {
        return;
    }
    if (!QDir().mkpath(folder())) {
        m_messages->showMessage(
            MessageBar::Kind::Error,
            tr("The folder %1 cannot be made. Choose another one.").arg(m_folder->text()));
        return;
    }
    remember();
    if (m_all->isChecked()) {
        for (const LayerId layer :
             m_session->content.builder->layersOf(m_panel.info(), m_request.branch)) {
            m_pending.append(layer);
        }
    } else {
        m_pending.append(m_request.layer);
    }
    m_export->setEnabled(false);
    next();
}

void ExportDialog::next() {
    if (m_pending.isEmpty()) {
        end();
        return;
    }
    const std::optional<LayerId> layer = m_pending.takeFirst();
    figures::FigureRequest request = m_request;
    request.layer = layer;
    m_progress->setText(tr("Writing %1").arg(fileName(layer)));
    m_runner.run<FigurePointer>(
        [sources = m_sessions, request](const std::stop_token& stop) {
            return buildFigure(sources, request, stop);
        },
        [this, layer](const Outcome<FigurePointer>& outcome) {
            if (outcome.ok()) {
                write(layer, *outcome.value());
            } else {
                m_messages->showProblem(outcome.problem());
                m_pending.clear();
                end();
            }
        });
}

void ExportDialog::write(std::optional<LayerId> layer, const figures::Figure& figure) {
    const QString path = freePath(layer);
    try {
        exportFigure(figure, options(), path.toStdString());
        m_written << path;
    } catch (const Error& error) {
        m_messages->showMessage(MessageBar::Kind::Error, QString::fromUtf8(error.what()));
        m_pending.clear();
    }
    next();
}

void ExportDialog::end() {
    m_export->setEnabled(true);
    m_progress->setText(
        m_written.isEmpty() ? QString()
        : m_written.size() == 1
            ? tr("Written: %1").arg(m_written.first())
            : tr("%1 files written to %2").arg(m_written.size()).arg(m_folder->text()));
    if (!m_written.isEmpty()) {
        Q_EMIT exported(m_written);
    }
}

}  // namespace moescope::widgets
