// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/selection.h"

#include <QObject>

#include <deque>

namespace moescope::widgets {

/// The experts that were looked at, one after another, to go back and forward between as a browser
/// does. Follows the selection; what changes at one stroke is one step. *GUI thread only*.
class SelectionHistory : public QObject {
    Q_OBJECT
public:
    explicit SelectionHistory(Selection& selection, QObject* parent = nullptr);

    [[nodiscard]] bool canGoBack() const { return m_at > 0; }
    [[nodiscard]] bool canGoForward() const { return m_at + 1 < m_places.size(); }
    void back();
    void forward();

Q_SIGNALS:
    /// Whether one can go may have changed.
    void changed();

private:
    /// One expert of one layer of a session.
    struct Place {
        int session = 0;
        LayerId layer;
        int expert = 0;
        bool operator==(const Place&) const = default;
    };
    void take(SelectionChanges changes);
    void record();
    void goTo(std::size_t place);

    Selection& m_selection;
    std::deque<Place> m_places;
    std::size_t m_at = 0;
    bool m_pending = false;
};

}  // namespace moescope::widgets
