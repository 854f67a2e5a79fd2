// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/shortcut_sheet.h"

#include "core/experiments/catalogue.h"
#include "widgets/panels/resources.h"

#include <QAction>
#include <QDialogButtonBox>
#include <QKeySequence>
#include <QTextBrowser>
#include <QVBoxLayout>

namespace moescope::widgets {
namespace {

QString text(std::string_view view) {
    return QString::fromUtf8(view.data(), static_cast<qsizetype>(view.size())).toHtmlEscaped();
}

QString shortcutTable(const QList<Command>& commands) {
    QString rows;
    for (const Command& command : commands) {
        if (!command.action || command.action->shortcuts().isEmpty()) {
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
    return QStringLiteral("<table cellpadding=\"3\">") + rows + QStringLiteral("</table>");
}

QString experimentTable() {
    QString rows;
    for (const experiments::ExperimentInfo& info : experiments::catalogue()) {
        rows += QStringLiteral("<p><b>%1</b> (%2)<br>%3<br><i>%4</i></p>")
                    .arg(text(info.title), text(info.label), text(info.definition),
                         text(info.howToRead));
    }
    return rows;
}

}  // namespace

QString ShortcutSheet::html(const QList<Command>& commands) {
    return resourceText(QStringLiteral(":/help/introduction.html")) +
           QStringLiteral("<h2>%1</h2>").arg(tr("Keys")) + shortcutTable(commands) +
           QStringLiteral("<h2>%1</h2>").arg(tr("What the figures show")) + experimentTable();
}

ShortcutSheet::ShortcutSheet(const QList<Command>& commands, QWidget* parent) : QDialog(parent) {
    setObjectName(QStringLiteral("shortcutSheet"));
    setWindowTitle(tr("Help and shortcuts"));
    auto* page = new QTextBrowser(this);
    page->setObjectName(QStringLiteral("helpPage"));
    page->setFrameShape(QFrame::NoFrame);
    page->setOpenExternalLinks(true);
    page->setHtml(html(commands));
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    auto* column = new QVBoxLayout(this);
    column->addWidget(page);
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    resize(640, 640);
}

}  // namespace moescope::widgets
