// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/export/export_options.h"

#include "core/base/closest_name.h"
#include "core/base/error.h"
#include "core/experiments/catalogue.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace moescope::cli {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  moescope export run.h5 --figure rank-counts --layers all --format svg -o figures\n"
    "  moescope export run.h5 --figure weight-similarity --layers 0,15,31 --role gate \\\n"
    "      --range all --width 85 --format pdf -o figures\n"
    "  moescope export run.h5 --figure coloured-text --layers 3 --tokens 0-511 -o figures\n"
    "  moescope export run.h5 --figure coloured-text --side-by-side --layers 0,15,31 \\\n"
    "      --tokens 100-220 -o figures\n"
    "  moescope export run.h5 --figure rank-counts --layers 3 --ranks 57:64 -o figures\n"
    "  moescope export run.h5 --figure rank-counts --tokens 0-999,4000-4999 -o figures\n"
    "  moescope export run.h5 --figure load-table --domain code --domain poetry -o figures\n"
    "  moescope export run.h5 --figure load-table --batch-tokens 256 --capacity 1,1.5 \\\n"
    "      --devices 4 -o figures\n"
    "  moescope export run.h5 --figure expert-card --layers 3 --expert 5 -o figures\n"
    "  moescope export run.h5 --figure expert-removal-text --layers 2 --expert 5 -o figures\n"
    "  moescope export base.h5 --figure routing-agreement --with instruct.h5 -o figures\n"
    "  moescope export 1000.h5 --figure router-saturation --with 5000.h5 --with last.h5 \\\n"
    "      -o figures\n"
    "  moescope export run.h5 --figure importance --prune-by reap --prune-share 0.25 \\\n"
    "      --format json -o lists\n"
    "  moescope export run.h5 --figure all --format csv -o data\n\n"
    "One file for each layer; the paths written are printed on stdout, one a line.";

[[noreturn]] void refuse(const std::string& message) {
    throw Error(ErrorCode::Usage, message);
}

int parseLayer(std::string_view text, const std::string& whole) {
    int layer = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), layer);
    if (error != std::errc() || end != text.data() + text.size() || layer < 0 || layer > 100000) {
        refuse(
            fmt::format("--layers \"{}\" is not understood: give all, or numbers and ranges such "
                        "as 0,2,5-7.",
                        whole));
    }
    return layer;
}

std::string figureNames() {
    std::string names;
    for (const figures::FigureInfo& info : figures::figureCatalogue()) {
        names += (names.empty() ? "" : ", ") + std::string(info.name);
    }
    return names;
}

std::string closestFigure(const std::string& name) {
    std::vector<std::string_view> names{"all"};
    for (const figures::FigureInfo& info : figures::figureCatalogue()) {
        names.push_back(info.name);
    }
    return didYouMean(name, names);
}

}  // namespace

std::vector<LayerId> parseLayers(const std::string& text) {
    std::vector<LayerId> layers;
    if (text == "all") {
        return layers;
    }
    std::string_view rest = text;
    while (true) {
        const std::size_t comma = rest.find(',');
        const std::string_view entry = rest.substr(0, comma);
        const std::size_t dash = entry.find('-');
        const int first = parseLayer(entry.substr(0, dash), text);
        const int last =
            dash == std::string_view::npos ? first : parseLayer(entry.substr(dash + 1), text);
        if (last < first) {
            refuse(
                fmt::format("--layers \"{}\": the range {} ends before it begins.", text, entry));
        }
        for (int layer = first; layer <= last; ++layer) {
            layers.emplace_back(layer);
        }
        if (comma == std::string_view::npos) {
            break;
        }
        rest.remove_prefix(comma + 1);
    }
    std::sort(layers.begin(), layers.end());
    layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
    return layers;
}

void ExportCommand::attach(CLI::App& program) {
    m_app = program.add_subcommand("export", "Write figures of a session as files");
    m_app->add_option("RUN.h5", m_session, "Session, finished or in progress")->required();
    m_app
        ->add_option("--figure", m_figures,
                     "Figure, or all; may be repeated. Figures: " + figureNames())
        ->required()
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);  // what follows one name is not another figure
    m_app->add_option("--layers,--layer", m_layers, "all, or numbers and ranges: 0,2,5-7")
        ->capture_default_str();
    m_app->add_option("--tokens", m_tokens,
                      "Only these: 17, 0-63 (both included), 64-, or several, as 0-9,20-29; counts "
                      "and means are computed anew for them; norms-scores draws up to 64 side by "
                      "side");
    m_app
        ->add_option("--documents", m_documents,
                     "Only the tokens of these documents, numbered from 0: 3 or 0,2,5-7")
        ->excludes("--tokens");
    m_app
        ->add_option("--domain", m_domains,
                     "Only the tokens of all documents of this domain; repeated, or separated by "
                     "commas, of several")
        ->type_name("NAME")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false)
        ->excludes("--tokens")
        ->excludes("--documents");
    m_app
        ->add_option("--expert", m_expert,
                     "expert-card, expert-removal-text, expert-removal-tokens, "
                     "vocabulary-specialisation: which expert, from 0")
        ->check(CLI::NonNegativeNumber);
    m_app
        ->add_option("--with", m_others,
                     "routing-comparison, routing-agreement, router-saturation: the session to "
                     "compare with, of a model of the same shape on the same text; repeated for "
                     "router-saturation: a series of checkpoints in this order, RUN.h5 first, all "
                     "compared with the last")
        ->type_name("OTHER.h5")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
    m_app->add_flag("--mean", m_mean,
                    "norms-scores, output-similarity: the mean over the tokens instead of each");
    m_app->add_option("--role", m_role, "gate, up, down, or all side by side")
        ->capture_default_str();
    m_app->add_flag("--relative", m_relative,
                    "Similarity after subtracting the baseline or the experts' mean");
    m_app->add_flag("--clustered", m_clustered,
                    "Similarity maps, coactivation: experts beside those that they are alike "
                    "(average linkage), not by index");
    m_app->add_option("--range", m_range, "Colour limits of this layer, of all layers, or MIN:MAX")
        ->capture_default_str();
    m_app->add_option("--colour-map,--color-map", m_colourMap,
                      "viridis, cividis, inferno, greys, white-blue or diverging");
    m_app->add_flag("--with-diagonal", m_withDiagonal,
                    "Draw the diagonal of similarity maps, which is 1");
    m_app->add_flag(
        "--side-by-side", m_sideBySide,
        "Similarity maps, rank counts, coloured text, shares, loads, co-activation: one "
        "file with a panel for each of --layers");
    m_app->add_option("--dimensions", m_dimensions, "neuron-projection: 2 or 3")
        ->capture_default_str();
    m_app->add_flag("--without-outliers", m_withoutOutliers,
                    "expert-projection: leave out, and list, what DBSCAN calls outliers");
    m_app->add_option("--ranks", m_ranks,
                      "rank-counts: bars of these ranks only, FIRST:LAST from 1, at most 16");
    m_app
        ->add_option("--similarity", m_similarities,
                     "similarity-trend: experiments it is drawn of, separated by commas; all "
                     "that there are without it")
        ->delimiter(',');
    m_app->add_option("--batch-tokens", m_batchTokens,
                      "load-table: consecutive tokens that are served at once (512)");
    m_app
        ->add_option("--capacity", m_capacities,
                     "load-table: room of an expert over its even share of a batch; several "
                     "separated by commas (1,1.25)")
        ->type_name("FACTOR")
        ->expected(1)
        ->delimiter(',')
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
    m_app->add_option("--devices", m_devices,
                      "load-table: devices that a layer's experts lie on, from 1 up to their "
                      "number (8, or half as many as there are experts)");
    m_app->add_option("--prune-by", m_pruneBy,
                      "importance, importance-map: show which experts would go by this measure: " +
                          figures::criterionNames() + "; reap by default, where it is known");
    m_app->add_option("--prune-share", m_pruneShare,
                      "and what share of the experts, 0 to below 1 (0.25)");
    m_app
        ->add_option("--prune-over", m_pruneOver,
                     "and whether it is of each layer's experts (layer) or of all together (model)")
        ->capture_default_str();
    m_app
        ->add_option("--without", m_without,
                     "expert-removal-text, expert-removal-tokens: layer (the --expert in each of "
                     "--layers; without --expert the one whose removal costs most), everywhere "
                     "(its index in all layers), sets (each chosen set, of the table), or a set "
                     "that was removed, such as 0:3,5:1")
        ->type_name("WHAT");
    m_app->add_option("--theme", m_theme, "light or dark")->capture_default_str();
    m_app->add_option("--width", m_width, "Width in mm: 85 is one column, 174 two")
        ->capture_default_str();
    m_app->add_option("--dpi", m_dpi, "Resolution of PNG")->capture_default_str();
    m_app->add_flag("--no-caption", m_noCaption, "Leave out the lines below the figure");
    m_app->add_flag("--no-title", m_noTitle, "Leave out the title");
    m_app
        ->add_option("--format", m_format,
                     "png, svg, pdf or csv; json: of importance, the list of experts that would go")
        ->capture_default_str();
    m_app
        ->add_option("-o,--output", m_folder,
                     "Folder for the files; made where the one above it exists")
        ->required();
    m_app->footer(kFooter);
}

bool ExportCommand::wasCalled() const {
    return m_app != nullptr && m_app->parsed();
}

std::optional<figures::PruneChoice> ExportCommand::pruneChoice() const {
    figures::PruneChoice choice;
    if (m_pruneOver != "layer" && m_pruneOver != "model") {
        refuse(fmt::format("--prune-over {} is not possible: give layer or model.", m_pruneOver));
    }
    if (m_pruneBy.empty() && !m_pruneShare && m_pruneOver == "layer") {
        return std::nullopt;
    }
    if (!m_pruneBy.empty()) {
        const figures::ImportanceCriterion* criterion = figures::findCriterion(m_pruneBy);
        if (criterion == nullptr) {
            refuse(fmt::format("--prune-by {} is not possible: give one of {}.", m_pruneBy,
                               figures::criterionNames()));
        }
        choice.criterion = criterion->id;
    }
    choice.share = m_pruneShare.value_or(choice.share);
    if (!(choice.share >= 0.0 && choice.share < 1.0)) {
        refuse(fmt::format("--prune-share {} is not possible: give a share from 0 to below 1.",
                           choice.share));
    }
    choice.acrossLayers = m_pruneOver == "model";
    return choice;
}

std::optional<figures::LoadSimulation> ExportCommand::loadSimulation() const {
    if (!m_batchTokens && m_capacities.empty() && !m_devices) {
        return std::nullopt;
    }
    figures::LoadSimulation load;
    if (m_batchTokens && *m_batchTokens < 1) {
        refuse(fmt::format("--batch-tokens {} is not possible: give 1 token or more.",
                           *m_batchTokens));
    }
    if (m_batchTokens) {
        load.batchTokens = static_cast<std::size_t>(*m_batchTokens);
    }
    if (!m_capacities.empty()) {
        load.capacities.clear();
        for (const double factor : m_capacities) {  // each once, in their order
            if (std::find(load.capacities.begin(), load.capacities.end(), factor) ==
                load.capacities.end()) {
                load.capacities.push_back(factor);
            }
        }
    }
    load.devices = m_devices;
    figures::requirePossible(load);
    return load;
}

ExportPlan ExportCommand::result() const {
    ExportPlan plan;
    plan.session = m_session;
    plan.others.assign(m_others.begin(), m_others.end());
    plan.folder = m_folder;
    for (const std::string& name : m_figures) {
        if (name == "all") {
            plan.allFigures = true;
            continue;
        }
        const figures::FigureInfo* info = figures::findFigure(name);
        if (info == nullptr) {
            refuse(fmt::format("There is no figure \"{}\".{} There are: {}, or all.", name,
                               closestFigure(name), figureNames()));
        }
        if (std::find(plan.figures.begin(), plan.figures.end(), info) == plan.figures.end()) {
            plan.figures.push_back(info);
        }
    }
    plan.layers = parseLayers(m_layers);
    plan.allLayers = plan.layers.empty();
    plan.tokens = m_tokens;
    plan.documents = m_documents;
    plan.domains = m_domains;
    plan.expert = m_expert;
    plan.mean = m_mean;
    if (m_role != "all") {
        if (m_role != "gate" && m_role != "up" && m_role != "down") {
            refuse(fmt::format("--role {} is not possible: give gate, up, down or all.", m_role));
        }
        plan.roles = {m_role};
    }
    plan.sideBySide = m_sideBySide;
    plan.withoutOutliers = m_withoutOutliers;
    if (m_dimensions != 2 && m_dimensions != 3) {
        refuse(fmt::format("--dimensions {} is not possible: give 2 or 3.", m_dimensions));
    }
    plan.dimensions = m_dimensions;
    if (!m_ranks.empty()) {
        plan.ranks = figures::parseRankRange(m_ranks);
    }
    for (const std::string& name : m_similarities) {
        const auto* experiment = experiments::findExperiment(name);
        if (experiment == nullptr) {
            refuse(fmt::format("--similarity {}: there is no such experiment.{}", name,
                               experiments::closestExperiment(name)));
        }
        plan.experiments.emplace_back(experiment->id);
    }
    plan.load = loadSimulation();
    plan.prune = pruneChoice();
    if (!m_without.empty()) {
        plan.removal = figures::parseRemovalChoice(m_without);
    }
    plan.relative = m_relative;
    plan.clustered = m_clustered;
    plan.range = figures::parseColourRange(m_range);
    if (!m_colourMap.empty()) {
        plan.colourMap = figures::parseColourMap(m_colourMap);
        if (!plan.colourMap) {
            refuse(
                fmt::format("--colour-map {} is not possible: give viridis, cividis, inferno, "
                            "greys, white-blue or diverging.",
                            m_colourMap));
        }
    }
    plan.maskDiagonal = !m_withDiagonal;
    if (m_theme != "light" && m_theme != "dark") {
        refuse(fmt::format("--theme {} is not possible: give light or dark.", m_theme));
    }
    const auto format = widgets::parseFileFormat(m_format);
    if (!format) {
        refuse(
            fmt::format("--format {} is not possible: give png, svg, pdf, csv or json.", m_format));
    }
    plan.file.format = *format;
    plan.file.widthMm = m_width;
    plan.file.dpi = m_dpi;
    plan.file.dark = m_theme == "dark";
    plan.file.withCaption = !m_noCaption;
    plan.file.withTitle = !m_noTitle;
    return plan;
}

}  // namespace moescope::cli
