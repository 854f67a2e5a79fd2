// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/strong_id.h"
#include "core/figures/token_selection.h"

#include <QFlags>
#include <QObject>
#include <QString>

#include <cstdint>
#include <optional>
#include <vector>

namespace moescope::widgets {

using figures::TokenRange;

/// A cell of a similarity map. Labels are the map's own: "0" .. "7", "F", "S".
struct PairSelection {
    QString row;
    QString column;
    bool operator==(const PairSelection&) const = default;
};

/// What the inspector speaks about: the kind of thing selected last.
enum class Focus { Model, Token, Expert, Pair };

/// The whole window's selection, as plain data.
struct SelectionState {
    int session = 0;  ///< OpenSession::id; 0: none
    BranchId branch;
    LayerId layer;
    std::vector<int> experts;        ///< ascending
    std::vector<TokenRange> tokens;  ///< ascending, disjoint
    /// The one of `tokens` that single-token views speak about; set when tokens are selected.
    std::optional<std::uint64_t> token;
    std::optional<PairSelection> pair;
    Focus focus = Focus::Model;
    bool operator==(const SelectionState&) const = default;
};

enum class SelectionChange {
    Session = 1,
    Branch = 2,
    Layer = 4,
    Experts = 8,
    Tokens = 16,
    Pair = 32,
    Focus = 64
};
Q_DECLARE_FLAGS(SelectionChanges, SelectionChange)
Q_DECLARE_OPERATORS_FOR_FLAGS(SelectionChanges)

/// What the selection may point to in the current session.
struct SelectionBounds {
    std::vector<bool> layerIsRouted;  ///< [layers]
    std::vector<int> layerExperts;    ///< [layers], 0 in dense layers
    std::uint64_t tokens = 0;
    bool operator==(const SelectionBounds&) const = default;
};

/// The one selection of a window. Panels observe it and change it, never each other. Values outside
/// the bounds are clamped or dropped, so an observer may trust them. *GUI thread only*.
class Selection : public QObject {
    Q_OBJECT
public:
    explicit Selection(QObject* parent = nullptr);

    [[nodiscard]] const SelectionState& state() const { return m_state; }
    [[nodiscard]] const SelectionBounds& bounds() const { return m_bounds; }
    [[nodiscard]] std::optional<std::uint64_t> currentToken() const;
    [[nodiscard]] bool layerIsRouted() const;

    /// Goes to another session (0: none), or to a newer snapshot of the same one: then everything
    /// that still exists stays selected.
    void setSession(int session, SelectionBounds bounds);
    /// Replaces everything at once (undo, restored view state).
    void restore(const SelectionState& state);

    void setBranch(BranchId branch);
    void setLayer(LayerId layer);
    /// Next routed layer upwards (+1) or downwards (-1), passing over dense ones; false at the end.
    bool stepLayer(int direction);
    void setExperts(std::vector<int> experts);
    void toggleExpert(int expert);
    void setTokens(std::vector<TokenRange> tokens);
    /// The token alone; but one of several that are selected only becomes the current one.
    void selectToken(std::uint64_t token);
    /// The tokens when they are a selection, which figures about all tokens follow: more than one
    /// and not all.
    [[nodiscard]] std::optional<figures::TokenSelection> selectedTokens() const;
    /// Moves the selected token; starts at the first one. False at the ends.
    bool stepToken(int direction);
    void setPair(std::optional<PairSelection> pair);
    /// Forgets experts, tokens and pair; the layer stays.
    void clear();

Q_SIGNALS:
    void changed(moescope::widgets::SelectionChanges changes);

private:
    void apply(SelectionState next);
    [[nodiscard]] SelectionState clamped(SelectionState state) const;

    SelectionState m_state;
    SelectionBounds m_bounds;
};

}  // namespace moescope::widgets
