// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/help_window.h"

#include "core/experiments/catalogue.h"
#include "widgets/panels/resources.h"

#include <QAction>
#include <QDialogButtonBox>
#include <QKeySequence>
#include <QListWidget>
#include <QRegularExpression>
#include <QSplitter>
#include <QTextBrowser>
#include <QTextDocument>
#include <QVBoxLayout>

#include <algorithm>

namespace moescope::widgets {
namespace {

constexpr QSize kSize(860, 640);
constexpr int kListWidth = 250;
constexpr int kPageMargin = 12;

QString plain(std::string_view utf8) {
    return QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
}

QString escaped(std::string_view utf8) {
    return plain(utf8).toHtmlEscaped();
}

/// "arXiv 2406.18219, section 4" with the number as a link.
QString linked(std::string_view source) {
    static const QRegularExpression kArxiv(QStringLiteral("arXiv[: ](\\d{4}\\.\\d{5})"));
    return escaped(source).replace(
        kArxiv, QStringLiteral("<a href=\"https://arxiv.org/abs/\\1\">arXiv \\1</a>"));
}

QString page(const QString& topic) {
    return resourceText(QStringLiteral(":/help/%1.html").arg(topic));
}

QString keysPage(const QList<Command>& commands) {
    QString rows;
    for (const Command& command : commands) {
        if (command.action.isNull() || command.action->shortcuts().isEmpty()) {
            continue;
        }
        QString name = command.action->text();
        name.remove(QLatin1Char('&'));
        rows += QStringLiteral("<tr><td><b>%1</b>&nbsp;&nbsp;</td><td>%2</td></tr>")
                    .arg(QKeySequence::listToString(command.action->shortcuts(),
                                                    QKeySequence::NativeText)
                             .toHtmlEscaped(),
                         name.toHtmlEscaped());
    }
    return QStringLiteral("<h2>%1</h2><table cellpadding=\"3\">").arg(HelpWindow::tr("Keys")) +
           rows + QStringLiteral("</table>");
}

QString experimentPage(const experiments::ExperimentInfo& info) {
    const QString heading = QStringLiteral("<h3>%1</h3>");
    const QString paragraph = QStringLiteral("<p>%1</p>");
    return QStringLiteral("<h2>%1 %2</h2>").arg(escaped(info.label), escaped(info.title)) +
           paragraph.arg(escaped(info.howToRead)) +
           heading.arg(HelpWindow::tr("Definition, as stored with the numbers")) +
           paragraph.arg(escaped(info.definition)) + page(plain(info.id)) +
           heading.arg(HelpWindow::tr("Source")) + paragraph.arg(linked(info.source));
}

}  // namespace

QList<HelpTopic> helpTopics(const QList<Command>& commands) {
    const auto fixed = [](const char* id, const QString& title) {
        const QString name = QString::fromLatin1(id);
        return HelpTopic{name, title, page(name)};
    };
    QList<HelpTopic> topics{fixed("introduction", HelpWindow::tr("Getting started"))};
    for (const experiments::ExperimentInfo& info : experiments::catalogue()) {
        topics.append({plain(info.id),
                       QStringLiteral("%1  %2").arg(plain(info.label), plain(info.title)),
                       experimentPage(info)});
    }
    topics.append(fixed("expert_card", HelpWindow::tr("Expert card")));
    topics.append(fixed("reproduction", HelpWindow::tr("Reproduction")));
    topics.append({QStringLiteral("keys"), HelpWindow::tr("Keys"), keysPage(commands)});
    topics.append(fixed("glossary", HelpWindow::tr("Glossary")));
    return topics;
}

QString helpTopicOf(const figures::FigureInfo& figure) {
    // Several figures may show one experiment; some have a definition of their own (coloured text),
    // and one that is drawn of all experiments has a page of its own.
    const experiments::ExperimentInfo* own = experiments::findExperiment(figure.name);
    if (own == nullptr && !page(plain(figure.name)).isEmpty()) {
        return plain(figure.name);
    }
    if (own == nullptr && !figure.definedBy.empty()) {
        return plain(figure.definedBy);
    }
    return plain(own != nullptr ? own->id : figure.experiment);
}

HelpWindow::HelpWindow(const QList<Command>& commands, QWidget* parent)
    : QDialog(parent),
      m_topics(helpTopics(commands)),
      m_list(new QListWidget(this)),
      m_page(new QTextBrowser(this)) {
    setObjectName(QStringLiteral("helpWindow"));
    setWindowTitle(tr("Help"));
    m_list->setObjectName(QStringLiteral("helpTopics"));
    m_list->setAccessibleName(tr("Topics"));
    m_list->setFrameShape(QFrame::NoFrame);
    for (const HelpTopic& topic : std::as_const(m_topics)) {
        m_list->addItem(topic.title);
    }
    m_page->setObjectName(QStringLiteral("helpPage"));
    m_page->setFrameShape(QFrame::NoFrame);
    m_page->setOpenExternalLinks(true);
    m_page->document()->setDocumentMargin(kPageMargin);
    auto* split = new QSplitter(this);
    split->addWidget(m_list);
    split->addWidget(m_page);
    split->setStretchFactor(1, 1);
    split->setSizes({kListWidth, kSize.width() - kListWidth});
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    auto* column = new QVBoxLayout(this);
    column->addWidget(split, 1);
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_list, &QListWidget::currentRowChanged, this, [this](int row) {
        if (row >= 0) {
            m_page->setHtml(m_topics.at(row).html);
        }
    });
    resize(kSize);
    showTopic({});
}

void HelpWindow::showTopic(const QString& id) {
    const auto found = std::find_if(m_topics.cbegin(), m_topics.cend(),
                                    [&](const HelpTopic& topic) { return topic.id == id; });
    m_list->setCurrentRow(found == m_topics.cend() ? 0
                                                   : static_cast<int>(found - m_topics.cbegin()));
}

}  // namespace moescope::widgets
