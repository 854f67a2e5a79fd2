// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "core/figures/request.h"
#include "core/figures/source.h"

#include <memory>
#include <stop_token>
#include <vector>

namespace moescope::figures {

class FigureBuilder;

/// What a build may need beside the session.
struct BuildAids {
    std::stop_token stop{};
    std::shared_ptr<const FigureBuilder> other{};  ///< the session to compare with
    /// Those that follow it in a series of checkpoints.
    std::vector<std::shared_ptr<const FigureBuilder>> further{};
};

/// Turns a session and a request into a figure. Keeps what several figures need (the token table,
/// limits over all layers), so make one per session. Thread-safe; reads from the session, so call
/// it off the GUI thread.
class FigureBuilder {
public:
    explicit FigureBuilder(std::shared_ptr<const FigureSource> source);
    ~FigureBuilder();
    FigureBuilder(const FigureBuilder&) = delete;
    FigureBuilder& operator=(const FigureBuilder&) = delete;

    [[nodiscard]] const session::Head& head() const;
    /// The figures whose numbers the session has, in catalogue order.
    [[nodiscard]] std::vector<const FigureInfo*> available() const;
    /// The layers a figure can be drawn for, ascending.
    [[nodiscard]] std::vector<LayerId> layersOf(const FigureInfo& figure,
                                                BranchId branch = {}) const;
    /// What a figure that removes experts can be drawn of.
    [[nodiscard]] KeptRemovals removals(BranchId branch = {}) const;
    /// A dense layer gives a NoticeFigure. Throws Error(Usage) for a figure, layer, role or token
    /// that the session does not have, naming it and what exists.
    /// Throws Error(Cancelled) when asked to stop during what takes long.
    [[nodiscard]] Figure build(const FigureRequest& request, const BuildAids& aids = {}) const;
    /// Reads ahead what statistics of selected tokens need at a layer, as long as not asked to
    /// stop.
    void prepareSelections(LayerId layer, BranchId branch, const std::stop_token& stop) const;

    /// The session's text; empty when it has none.
    [[nodiscard]] std::shared_ptr<const TokenTable> tokens() const;
    /// Chosen experts of one layer. Throws Error(Usage | Cancelled) as build() does.
    [[nodiscard]] std::shared_ptr<const Routing> routing(LayerId layer, BranchId branch = {},
                                                         const std::stop_token& stop = {}) const;

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace moescope::figures
