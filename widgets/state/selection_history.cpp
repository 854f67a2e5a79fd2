// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/selection_history.h"

#include <QMetaObject>

namespace moescope::widgets {
namespace {

constexpr std::size_t kMostPlaces = 100;

}  // namespace

SelectionHistory::SelectionHistory(Selection& selection, QObject* parent)
    : QObject(parent), m_selection(selection) {
    connect(&m_selection, &Selection::changed, this, &SelectionHistory::take);
}

// A click may change layer and expert one after the other: looked at when both are done.
void SelectionHistory::take(SelectionChanges changes) {
    if (changes.testFlag(SelectionChange::Session)) {
        m_places.clear();
        m_at = 0;
        Q_EMIT changed();
    }
    if (!m_pending) {
        m_pending = true;
        QMetaObject::invokeMethod(this, &SelectionHistory::record, Qt::QueuedConnection);
    }
}

void SelectionHistory::record() {
    m_pending = false;
    const SelectionState& state = m_selection.state();
    if (state.focus != Focus::Expert || state.experts.empty()) {
        return;
    }
    const Place place{state.session, state.layer, state.experts.front()};
    if (!m_places.empty() && m_places[m_at] == place) {
        return;
    }
    if (!m_places.empty()) {
        m_places.resize(m_at + 1);
    }
    m_places.push_back(place);
    if (m_places.size() > kMostPlaces) {
        m_places.pop_front();
    }
    m_at = m_places.size() - 1;
    Q_EMIT changed();
}

void SelectionHistory::goTo(std::size_t place) {
    m_at = place;
    SelectionState state = m_selection.state();
    state.layer = m_places[place].layer;
    state.experts = {m_places[place].expert};
    state.focus = Focus::Expert;
    m_selection.restore(state);
    Q_EMIT changed();
}

void SelectionHistory::back() {
    if (canGoBack()) {
        goTo(m_at - 1);
    }
}

void SelectionHistory::forward() {
    if (canGoForward()) {
        goTo(m_at + 1);
    }
}

}  // namespace moescope::widgets
