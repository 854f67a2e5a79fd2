// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/selection.h"

#include <algorithm>
#include <utility>

namespace moescope::widgets {
namespace {

SelectionChanges difference(const SelectionState& a, const SelectionState& b) {
    SelectionChanges changes;
    changes.setFlag(SelectionChange::Session, a.session != b.session);
    changes.setFlag(SelectionChange::Branch, a.branch != b.branch);
    changes.setFlag(SelectionChange::Layer, a.layer != b.layer);
    changes.setFlag(SelectionChange::Experts, a.experts != b.experts);
    changes.setFlag(SelectionChange::Tokens, a.tokens != b.tokens || a.token != b.token);
    changes.setFlag(SelectionChange::Pair, a.pair != b.pair);
    changes.setFlag(SelectionChange::Focus, a.focus != b.focus);
    return changes;
}

/// Ascending, disjoint, inside [0, total), touching ranges joined.
std::vector<TokenRange> normalised(std::vector<TokenRange> ranges, std::uint64_t total) {
    for (TokenRange& range : ranges) {
        range.count = range.first < total ? std::min(range.count, total - range.first) : 0;
    }
    return figures::TokenSelection(std::move(ranges)).ranges();
}

/// The focus that still has something behind it.
Focus settledFocus(const SelectionState& state) {
    const bool valid = (state.focus == Focus::Token && !state.tokens.empty()) ||
                       (state.focus == Focus::Expert && !state.experts.empty()) ||
                       (state.focus == Focus::Pair && state.pair.has_value());
    return valid ? state.focus : Focus::Model;
}

}  // namespace

Selection::Selection(QObject* parent) : QObject(parent) {}

std::optional<std::uint64_t> Selection::currentToken() const {
    return m_state.token;
}

std::optional<figures::TokenSelection> Selection::selectedTokens() const {
    const figures::TokenSelection tokens(m_state.tokens);
    return tokens.count() > 1 && tokens.count() < m_bounds.tokens ? std::optional(tokens)
                                                                  : std::nullopt;
}

bool Selection::layerIsRouted() const {
    const auto layer = static_cast<std::size_t>(m_state.layer.value);
    return layer < m_bounds.layerIsRouted.size() && m_bounds.layerIsRouted[layer];
}

void Selection::setSession(int session, SelectionBounds bounds) {
    SelectionState next = m_state;
    const bool same = session == m_state.session;
    m_bounds = std::move(bounds);
    if (!same) {
        next = SelectionState{};
        next.session = session;
        const auto& routed = m_bounds.layerIsRouted;
        const auto first = std::find(routed.begin(), routed.end(), true);
        next.layer = LayerId{first == routed.end() ? 0 : static_cast<int>(first - routed.begin())};
    }
    apply(std::move(next));
}

void Selection::restore(const SelectionState& state) {
    if (state.session == m_state.session) {
        apply(state);
    }
}

void Selection::setBranch(BranchId branch) {
    SelectionState next = m_state;
    next.branch = branch;
    apply(std::move(next));
}

void Selection::setLayer(LayerId layer) {
    SelectionState next = m_state;
    next.layer = layer;
    apply(std::move(next));
}

bool Selection::stepLayer(int direction) {
    const int layers = static_cast<int>(m_bounds.layerIsRouted.size());
    const int step = direction < 0 ? -1 : 1;
    for (int layer = m_state.layer.value + step; layer >= 0 && layer < layers; layer += step) {
        if (m_bounds.layerIsRouted[static_cast<std::size_t>(layer)]) {
            setLayer(LayerId{layer});
            return true;
        }
    }
    return false;
}

void Selection::setExperts(std::vector<int> experts) {
    SelectionState next = m_state;
    next.experts = std::move(experts);
    next.focus = Focus::Expert;
    apply(std::move(next));
}

void Selection::toggleExpert(int expert) {
    std::vector<int> experts = m_state.experts;
    const auto found = std::find(experts.begin(), experts.end(), expert);
    if (found == experts.end()) {
        experts.push_back(expert);
    } else {
        experts.erase(found);
    }
    setExperts(std::move(experts));
}

void Selection::setTokens(std::vector<TokenRange> tokens) {
    SelectionState next = m_state;
    next.tokens = std::move(tokens);
    next.token.reset();
    next.focus = Focus::Token;
    apply(std::move(next));
}

void Selection::selectToken(std::uint64_t token) {
    if (!figures::TokenSelection(m_state.tokens).contains(token)) {
        setTokens({TokenRange{token, 1}});
        return;
    }
    SelectionState next = m_state;
    next.token = token;
    next.focus = Focus::Token;
    apply(std::move(next));
}

bool Selection::stepToken(int direction) {
    if (m_bounds.tokens == 0) {
        return false;
    }
    const std::optional<std::uint64_t> current = currentToken();
    if (!current) {
        selectToken(0);
        return true;
    }
    if ((direction < 0 && *current == 0) || (direction > 0 && *current + 1 >= m_bounds.tokens)) {
        return false;
    }
    selectToken(direction < 0 ? *current - 1 : *current + 1);
    return true;
}

void Selection::setPair(std::optional<PairSelection> pair) {
    SelectionState next = m_state;
    next.pair = std::move(pair);
    next.focus = Focus::Pair;
    apply(std::move(next));
}

void Selection::clear() {
    SelectionState next = m_state;
    next.experts.clear();
    next.tokens.clear();
    next.token.reset();
    next.pair.reset();
    apply(std::move(next));
}

SelectionState Selection::clamped(SelectionState state) const {
    const int layers = static_cast<int>(m_bounds.layerIsRouted.size());
    state.layer = LayerId{std::clamp(state.layer.value, 0, std::max(0, layers - 1))};
    // Layers may differ in their number of experts: keep what exists in any of them.
    const int experts =
        m_bounds.layerExperts.empty()
            ? 0
            : *std::max_element(m_bounds.layerExperts.begin(), m_bounds.layerExperts.end());
    std::erase_if(state.experts, [experts](int e) { return e < 0 || e >= experts; });
    std::sort(state.experts.begin(), state.experts.end());
    state.experts.erase(std::unique(state.experts.begin(), state.experts.end()),
                        state.experts.end());
    state.tokens = normalised(std::move(state.tokens), m_bounds.tokens);
    const bool isCurrent =
        state.token && figures::TokenSelection(state.tokens).contains(*state.token);
    if (state.tokens.empty()) {
        state.token.reset();
    } else if (!isCurrent) {
        state.token = state.tokens.front().first;
    }
    state.focus = settledFocus(state);
    return state;
}

void Selection::apply(SelectionState next) {
    next = clamped(std::move(next));
    const SelectionChanges changes = difference(m_state, next);
    if (!changes) {
        return;
    }
    m_state = std::move(next);
    Q_EMIT changed(changes);
}

}  // namespace moescope::widgets
