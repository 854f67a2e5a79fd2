// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/text_source_editor.h"

#include "widgets/panels/path_field.h"
#include "widgets/panels/resources.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QStackedWidget>
#include <QVBoxLayout>

namespace moescope::widgets {
namespace {

constexpr int kPromptLines = 4;
constexpr int kMaxDocuments = 10'000'000;

QLineEdit* lineField(const QString& name, const QString& hint, QWidget* parent) {
    auto* edit = new QLineEdit(parent);
    edit->setObjectName(name);
    edit->setPlaceholderText(hint);
    return edit;
}

}  // namespace

TextSourceEditor::TextSourceEditor(const QString& demoCorpus, QWidget* parent)
    : QWidget(parent),
      m_demoCorpus(demoCorpus),
      m_kind(new QComboBox(this)),
      m_pages(new QStackedWidget(this)),
      m_maxDocuments(new QSpinBox(this)),
      m_chat(new QCheckBox(tr("Through the model's chat template"), this)) {
    setObjectName(QStringLiteral("textSourceEditor"));
    m_kind->setObjectName(QStringLiteral("textKind"));
    m_kind->setAccessibleName(tr("Kind of text"));
    m_kind->addItem(tr("Typed text"), static_cast<int>(TextKind::Prompt));
    m_kind->addItem(tr("Text files"), static_cast<int>(TextKind::Files));
    m_kind->addItem(tr("Column of a CSV file"), static_cast<int>(TextKind::Csv));
    m_kind->addItem(tr("Field of a JSONL file"), static_cast<int>(TextKind::Jsonl));
    m_kind->addItem(tr("No text: weights only"), static_cast<int>(TextKind::None));
    m_pages->addWidget(promptPage());
    m_pages->addWidget(filesPage());
    m_pages->addWidget(tablePage());
    m_pages->addWidget(
        hintPage(tr("Only what follows from the weights is computed. A text can be added later.")));
    m_session = hintPage({});
    m_session->setObjectName(QStringLiteral("sessionText"));
    m_session->setForegroundRole(QPalette::WindowText);
    m_pages->addWidget(m_session);
    m_maxDocuments->setObjectName(QStringLiteral("maxDocuments"));
    m_maxDocuments->setRange(0, kMaxDocuments);
    m_maxDocuments->setSpecialValueText(tr("all"));
    m_maxDocuments->setAccessibleName(tr("At most so many documents"));
    m_chat->setObjectName(QStringLiteral("chatCheck"));
    m_chat->setToolTip(tr("For models tuned to chat; recorded in the session"));
    auto* limit = new QHBoxLayout;
    limit->setSpacing(8);
    limit->addWidget(new QLabel(tr("Documents"), this));
    limit->addWidget(m_maxDocuments);
    limit->addStretch(1);
    limit->addWidget(m_chat);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    column->addWidget(m_kind);
    column->addWidget(m_pages, 1);
    column->addLayout(limit);
    addPresets(demoCorpus);
    connect(m_kind, &QComboBox::currentIndexChanged, this, &TextSourceEditor::updatePages);
    connect(m_maxDocuments, &QSpinBox::valueChanged, this, &TextSourceEditor::changed);
    connect(m_chat, &QCheckBox::toggled, this, &TextSourceEditor::changed);
    updatePages();
}

QWidget* TextSourceEditor::promptPage() {
    auto* page = new QWidget(this);
    m_presets = new QComboBox(page);
    m_presets->setObjectName(QStringLiteral("textPresets"));
    m_presets->setAccessibleName(tr("Presets"));
    m_prompt = new QPlainTextEdit(page);
    m_prompt->setObjectName(QStringLiteral("promptEdit"));
    m_prompt->setAccessibleName(tr("Text"));
    m_prompt->setPlaceholderText(tr("Type or paste a text"));
    m_prompt->setTabChangesFocus(true);
    m_prompt->setMinimumHeight(kPromptLines * fontMetrics().lineSpacing() + 12);
    m_prompt->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Ignored);  // the rest of the room
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    column->addWidget(m_presets);
    column->addWidget(m_prompt, 1);
    connect(m_presets, &QComboBox::activated, this, &TextSourceEditor::applyPreset);
    connect(m_prompt, &QPlainTextEdit::textChanged, this, &TextSourceEditor::changed);
    return page;
}

QWidget* TextSourceEditor::filesPage() {
    auto* page = new QWidget(this);
    m_files =
        new PathField(QStringLiteral("textFiles"), PathField::What::Files, tr("Text files"), page);
    m_files->setPlaceholder(tr("Each file is a document; a folder has one sub-folder per domain"));
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_files);
    column->addStretch(1);
    connect(m_files, &PathField::changed, this, &TextSourceEditor::changed);
    return page;
}

QWidget* TextSourceEditor::tablePage() {
    auto* page = new QWidget(this);
    m_table = new PathField(QStringLiteral("tableFile"), PathField::What::Files, tr("Table"), page);
    m_column = lineField(QStringLiteral("tableColumn"), tr("name, or number from 0"), page);
    m_domain = lineField(QStringLiteral("tableDomain"), tr("none"), page);
    m_header = new QCheckBox(tr("First row holds names"), page);
    m_header->setObjectName(QStringLiteral("tableHeader"));
    m_header->setChecked(true);
    m_split = new QCheckBox(tr("Every line is a document"), page);
    m_split->setObjectName(QStringLiteral("tableSplit"));
    m_skip = lineField(QStringLiteral("tableSkip"), tr("nothing"), page);
    m_skip->setToolTip(tr("Lines that begin with this are left out, for example = in WikiText"));
    auto* form = new QFormLayout(page);
    form->setContentsMargins(0, 0, 0, 0);
    form->setSpacing(8);
    form->addRow(tr("File"), m_table);
    form->addRow(tr("Text in"), m_column);
    form->addRow(tr("Domain in"), m_domain);
    auto* checks = new QHBoxLayout;
    checks->setSpacing(16);
    checks->addWidget(m_header);
    checks->addWidget(m_split);
    checks->addStretch(1);
    form->addRow(QString(), checks);
    form->addRow(tr("Skip lines with"), m_skip);
    connect(m_table, &PathField::changed, this, &TextSourceEditor::changed);
    for (QLineEdit* edit : {m_column, m_domain, m_skip}) {
        connect(edit, &QLineEdit::textChanged, this, &TextSourceEditor::changed);
    }
    for (QCheckBox* check : {m_header, m_split}) {
        connect(check, &QCheckBox::toggled, this, &TextSourceEditor::updatePages);
    }
    return page;
}

QLabel* TextSourceEditor::hintPage(const QString& text) {
    auto* page = new QLabel(text, this);
    page->setWordWrap(true);
    page->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    page->setForegroundRole(QPalette::PlaceholderText);
    return page;
}

void TextSourceEditor::addPresets(const QString& demoCorpus) {
    const QString shortPrompt = resourceText(QStringLiteral(":/prompts/short.txt")).trimmed();
    const QString longPrompt = resourceText(QStringLiteral(":/prompts/long.txt")).trimmed();
    m_presets->addItem(tr("Presets"));
    m_presets->addItem(tr("Short prompt: \"%1\"").arg(shortPrompt), shortPrompt);
    m_presets->addItem(tr("Long prompt, about 64 tokens"), longPrompt);
    if (!demoCorpus.isEmpty()) {
        m_presets->addItem(tr("The demo's corpus, with domains"));
    }
    m_prompt->setPlainText(shortPrompt);
}

void TextSourceEditor::applyPreset(int index) {
    const QString text = m_presets->itemData(index).toString();
    if (!text.isEmpty()) {
        m_prompt->setPlainText(text);
    } else if (index > 0) {
        m_table->setPath(m_demoCorpus);
        m_column->setText(QStringLiteral("text"));
        m_domain->setText(QStringLiteral("domain"));
        setKind(TextKind::Jsonl);
    }
    m_presets->setCurrentIndex(0);
}

TextKind TextSourceEditor::kind() const {
    return static_cast<TextKind>(m_kind->currentData().toInt());
}

void TextSourceEditor::setKind(TextKind kind) {
    m_kind->setCurrentIndex(m_kind->findData(static_cast<int>(kind)));
}

void TextSourceEditor::setPrompt(const QString& text) {
    m_prompt->setPlainText(text);
}

void TextSourceEditor::offerSession(const QString& description) {
    m_session->setText(description);
    if (m_kind->findData(static_cast<int>(TextKind::Session)) < 0) {
        m_kind->insertItem(0, tr("The session's own text"), static_cast<int>(TextKind::Session));
    }
}

void TextSourceEditor::withdrawSession() {
    if (kind() == TextKind::Session) {
        setKind(TextKind::Prompt);
    }
    const int entry = m_kind->findData(static_cast<int>(TextKind::Session));
    if (entry >= 0) {
        m_kind->removeItem(entry);
    }
}

void TextSourceEditor::updatePages() {
    const TextKind now = kind();
    const bool csv = now == TextKind::Csv;
    const bool table = csv || now == TextKind::Jsonl;
    m_pages->setCurrentIndex(now == TextKind::Prompt  ? 0
                             : now == TextKind::Files ? 1
                             : table                  ? 2
                             : now == TextKind::None  ? 3
                                                      : 4);
    m_header->setEnabled(csv);
    m_split->setEnabled(csv);
    m_skip->setEnabled(csv && m_split->isChecked());
    m_maxDocuments->setEnabled(table || now == TextKind::Files);
    m_chat->setEnabled(now != TextKind::None && now != TextKind::Session);
    m_table->setFilter(csv ? tr("CSV files (*.csv *.tsv *.txt);;All files (*)")
                           : tr("JSONL files (*.jsonl *.json);;All files (*)"));
    Q_EMIT changed();
}

void TextSourceEditor::fill(AnalysisRequest& request) const {
    request.textKind = kind();
    request.prompt = m_prompt->toPlainText();
    const bool table = request.textKind == TextKind::Csv || request.textKind == TextKind::Jsonl;
    request.files = table ? m_table->paths() : m_files->paths();
    request.column = m_column->text().trimmed();
    request.domainColumn = m_domain->text().trimmed();
    request.hasHeader = m_header->isChecked();
    request.splitLines = m_split->isChecked();
    request.skipPrefix = m_skip->text();
    request.chatTemplate = m_chat->isEnabled() && m_chat->isChecked();
    request.maxDocuments.reset();
    if (m_maxDocuments->isEnabled() && m_maxDocuments->value() > 0) {
        request.maxDocuments = m_maxDocuments->value();
    }
}

}  // namespace moescope::widgets
