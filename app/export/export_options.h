// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/request.h"
#include "widgets/figures/export.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace moescope::cli {

/// What `export` was asked for, checked as far as that goes without the session.
struct ExportPlan {
    std::filesystem::path session;
    std::vector<std::filesystem::path> others;  ///< to compare with, in their order
    std::vector<const figures::FigureInfo*> figures;
    bool allFigures = false;  ///< "all": those the session has
    bool allLayers = true;
    std::vector<LayerId> layers;         ///< when not allLayers, ascending
    std::string tokens;                  ///< empty: the figure's own choice
    std::string documents;               ///< in place of tokens
    std::vector<std::string> domains{};  ///< in place of either: of all documents of these
    std::optional<int> expert{};         ///< of figures about one
    bool mean = false;  ///< over the tokens, of figures that draw single ones as well
    std::vector<std::string> roles;
    bool relative = false;
    bool clustered = false;  ///< experts beside those that they are alike
    figures::ColourRange range;
    std::optional<figures::ColourMap> colourMap;
    bool maskDiagonal = true;
    bool sideBySide = false;       ///< one picture of all layers instead of a file for each
    bool withoutOutliers = false;  ///< of projections
    int dimensions = 2;            ///< of projections of neurons
    std::optional<figures::RankRange> ranks;
    std::vector<std::string> experiments;             ///< of figures drawn of several; empty: all
    std::optional<figures::LoadSimulation> load{};    ///< absent: as usual
    std::optional<figures::PruneChoice> prune;        ///< absent: no experts are marked
    std::optional<figures::RemovalChoice> removal{};  ///< absent: what the session has
    widgets::ExportOptions file;
    std::filesystem::path folder;
};

/// "all", "3", "0,2,5-7": layers, ascending, each once. An empty list means all. Throws
/// Error(Usage).
[[nodiscard]] std::vector<LayerId> parseLayers(const std::string& text);

/// The `export` subcommand: attach() before parsing, result() after. Thread-compatible.
class ExportCommand {
public:
    void attach(CLI::App& program);
    [[nodiscard]] bool wasCalled() const;
    /// Throws Error(Usage) naming the option, its value and what is possible.
    [[nodiscard]] ExportPlan result() const;

private:
    [[nodiscard]] std::optional<figures::PruneChoice> pruneChoice() const;
    [[nodiscard]] std::optional<figures::LoadSimulation> loadSimulation() const;

    std::string m_session, m_folder;
    std::vector<std::string> m_others;
    std::vector<std::string> m_figures, m_domains;
    std::string m_layers = "all", m_tokens, m_documents, m_role = "all", m_range = "layer",
                m_colourMap;
    std::string m_theme = "light", m_format = "png";
    double m_width = 174.0, m_dpi = 300.0;
    std::string m_ranks;
    std::vector<std::string> m_similarities;
    std::string m_pruneBy, m_pruneOver = "layer", m_without;
    std::optional<double> m_pruneShare;
    int m_dimensions = 2;
    std::optional<int> m_expert, m_devices;
    std::optional<std::int64_t> m_batchTokens;
    std::vector<double> m_capacities;
    bool m_sideBySide = false, m_withoutOutliers = false, m_mean = false;
    bool m_relative = false, m_clustered = false, m_withDiagonal = false, m_noCaption = false,
         m_noTitle = false;
    CLI::App* m_app = nullptr;
};

}  // namespace moescope::cli
