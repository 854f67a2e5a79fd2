// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/path_field.h"

#include <QDir>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QUrl>

namespace moescope::widgets {
namespace {

const QLatin1String kSeparator("; ");

QFileDialog::FileMode modeOf(PathField::What what) {
    switch (what) {
        case PathField::What::Folder:
            return QFileDialog::Directory;
        case PathField::What::Files:
            return QFileDialog::ExistingFiles;
        case PathField::What::NewFile:
            break;
    }
    return QFileDialog::AnyFile;
}

}  // namespace

PathField::PathField(const QString& name, What what, const QString& accessibleName, QWidget* parent)
    : QWidget(parent), m_edit(new QLineEdit(this)), m_what(what) {
    m_edit->setObjectName(name);
    m_edit->setAccessibleName(accessibleName);
    m_edit->setClearButtonEnabled(true);
    m_edit->setAcceptDrops(false);
    setFocusProxy(m_edit);
    setAcceptDrops(true);
    auto* button = new QPushButton(tr("Browse..."), this);
    button->setObjectName(name + QStringLiteral("Browse"));
    button->setAccessibleName(tr("Browse: %1").arg(accessibleName));
    button->setAutoDefault(false);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    row->addWidget(m_edit, 1);
    row->addWidget(button);
    connect(m_edit, &QLineEdit::textChanged, this, &PathField::changed);
    connect(button, &QPushButton::clicked, this, &PathField::browse);
}

QString PathField::path() const {
    return paths().value(0);
}

QStringList PathField::paths() const {
    QStringList paths;
    const QStringList parts = m_edit->text().split(kSeparator, Qt::SkipEmptyParts);
    for (const QString& part : parts) {
        paths << QDir::fromNativeSeparators(part.trimmed());
    }
    return paths;
}

void PathField::setPath(const QString& path) {
    m_edit->setText(QDir::toNativeSeparators(path));
}

void PathField::setPaths(const QStringList& paths) {
    setPath(paths.join(kSeparator));
}

void PathField::setPlaceholder(const QString& text) {
    m_edit->setPlaceholderText(text);
}

void PathField::browse() {
    auto* dialog = new QFileDialog(this, m_edit->accessibleName(), path(), m_filter);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(modeOf(m_what));
    if (m_what == What::NewFile) {
        dialog->setAcceptMode(QFileDialog::AcceptSave);
        // An existing session is added to, not overwritten.
        dialog->setOption(QFileDialog::DontConfirmOverwrite);
    }
    connect(dialog, &QFileDialog::filesSelected, this, &PathField::setPaths);
    dialog->open();
}

void PathField::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasUrls()) {
        event->acceptProposedAction();
    }
}

void PathField::dropEvent(QDropEvent* event) {
    QStringList files;
    const QList<QUrl> urls = event->mimeData()->urls();
    for (const QUrl& url : urls) {
        if (url.isLocalFile()) {
            files << url.toLocalFile();
        }
    }
    if (!files.isEmpty()) {
        setPaths(m_what == What::Files ? files : QStringList{files.first()});
        event->acceptProposedAction();
    }
}

}  // namespace moescope::widgets
