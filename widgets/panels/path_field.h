// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QStringList>
#include <QWidget>

class QLineEdit;

namespace moescope::widgets {

/// A path that can be typed, browsed for or dropped. *GUI thread only*.
class PathField : public QWidget {
    Q_OBJECT
public:
    enum class What { Folder, Files, NewFile };

    PathField(const QString& name, What what, const QString& accessibleName,
              QWidget* parent = nullptr);

    [[nodiscard]] QString path() const;
    /// Several files are shown one after the other, separated by "; ".
    [[nodiscard]] QStringList paths() const;
    void setPath(const QString& path);
    void setPaths(const QStringList& paths);
    void setFilter(const QString& filter) { m_filter = filter; }
    void setPlaceholder(const QString& text);

Q_SIGNALS:
    void changed();

protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void browse();

    QLineEdit* m_edit;
    What m_what;
    QString m_filter;
};

}  // namespace moescope::widgets
