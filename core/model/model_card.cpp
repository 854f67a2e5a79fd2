// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/model_card.h"

#include "core/base/error.h"
#include "core/base/format_bytes.h"
#include "core/model/config.h"
#include "core/model/describe.h"
#include "core/model/load_spec.h"
#include "core/model/published_figures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace moescope::model {
namespace {

/// "46.70 B" in three or four digits.
std::string countText(std::uint64_t count) {
    constexpr std::array<std::pair<double, const char*>, 3> kUnits{
        {{1e9, " B"}, {1e6, " M"}, {1e3, " k"}}};
    for (const auto& [unit, name] : kUnits) {
        if (static_cast<double>(count) >= unit) {
            return fmt::format("{:.2f}{}", static_cast<double>(count) / unit, name);
        }
    }
    return fmt::format("{}", count);
}

/// Collects "label   value" lines.
class Lines {
public:
    void add(const std::string& label, const std::string& value) {
        m_text += fmt::format("  {:<14}{}\n", label, value);
    }
    void raw(const std::string& line) { m_text += line + "\n"; }

    /// One line when the whole model is alike, else one per group with its layers.
    void addGroups(const std::string& label, const std::vector<LayerGroup>& groups,
                   int layerCount) {
        for (const auto& [description, layers] : groups) {
            const bool everywhere = layers.size() == static_cast<std::size_t>(layerCount);
            add(label, everywhere
                           ? description
                           : fmt::format("{} (layer{} {})", description,
                                         layers.size() == 1 ? "" : "s", layerRanges(layers)));
        }
    }
    [[nodiscard]] std::string take() { return std::move(m_text); }

private:
    std::string m_text;
};

std::uint64_t routedExperts(const ModelSpec& spec) {
    std::uint64_t experts = 0;
    for (const auto& layer : spec.layers) {
        experts += layer.moe ? static_cast<std::uint64_t>(layer.moe->experts) : 0;
    }
    return experts;
}

void addModel(const ModelSpec& spec, Lines& lines) {
    const auto layers = groupLayers(spec, [](const LayerSpec& layer) {
        return std::string(layer.isRouted() ? "routed" : "dense");
    });
    std::vector<std::string> kinds;
    kinds.reserve(layers.size());
    for (const auto& [kind, indices] : layers) {
        kinds.push_back(fmt::format("{} {} ({})", indices.size(), kind, layerRanges(indices)));
    }
    const int count = spec.layerCount();
    lines.add("Layers", fmt::format("{}: {}", count, fmt::join(kinds, ", ")));
    lines.add("Sizes",
              fmt::format("hidden size {}, vocabulary {}, {}", spec.hiddenSize, spec.vocabSize,
                          spec.tiedHead ? "head tied to the embedding" : "own head"));
    lines.addGroups("Experts",
                    groupLayers(spec,
                                [](const LayerSpec& layer) {
                                    return layer.moe ? expertsText(*layer.moe) : std::string();
                                }),
                    count);
    if (const auto experts = routedExperts(spec); experts > 0) {
        lines.add("", fmt::format("experts belong to a layer: {} in all", experts));
    }
    lines.addGroups("Router",
                    groupLayers(spec,
                                [](const LayerSpec& layer) {
                                    return layer.moe ? routerRule(*layer.moe) : std::string();
                                }),
                    count);
    lines.addGroups("Feed-forward",
                    groupLayers(spec,
                                [](const LayerSpec& layer) {
                                    return layer.dense ? feedForwardText(*layer.dense)
                                                       : std::string();
                                }),
                    count);
    lines.addGroups("Attention", groupLayers(spec, attentionText), count);
    lines.addGroups("Positions", groupLayers(spec, positionsText), count);
    lines.add("Norm", normText(spec.normKind, spec.normEps));
    if (const std::string scales = scalesText(spec); !scales.empty()) {
        lines.add("Scales", scales);
    }
}

void addParameters(const ModelCard& card, Lines& lines) {
    const auto& account = card.parameters;
    const auto row = [&](std::string_view label, std::uint64_t total, std::uint64_t active) {
        lines.raw(
            fmt::format("    {:<28}{:>10}{:>12}", label, countText(total), countText(active)));
    };
    lines.raw(fmt::format("  {:<30}{:>10}{:>12}", "Parameters", "total", "per token"));
    for (const auto component : kComponents) {
        if (account.of(component) != 0) {
            row(title(component), account.of(component), account.activeOf(component));
        }
    }
    row("All", sum(account.total), sum(account.active));
    if (!account.tiedHead) {
        row("All but the input embedding", sum(account.total) - account.of(Component::Embedding),
            account.activeWithoutInputEmbedding());
    }
    std::vector<std::string> references;
    for (const auto& reference : denseReferences()) {
        references.push_back(
            fmt::format("{} {}", reference.title, countText(reference.parameters())));
    }
    if (const PublishedFigures* figures = findPublished(*card.spec)) {
        lines.add("Published", publishedText(*figures));
    }
    lines.add("Beside", fmt::format("{} (dense)", fmt::join(references, ", ")));
}

void addDisk(const ModelCard& card, Lines& lines) {
    std::vector<std::string> shares;
    for (const auto& share : card.disk) {
        shares.push_back(fmt::format("{} {} ({} tensors)", checkpoint::name(share.dtype),
                                     formatBytes(share.bytes), share.tensors));
    }
    std::uint64_t needed = 0;
    for (const auto& share : card.disk) {
        needed += share.bytes;
    }
    lines.add("On disk",
              fmt::format("{} in {} file{}{}: {}", formatBytes(card.fileBytes), card.fileCount,
                          card.fileCount == 1 ? "" : "s",
                          needed > card.fileBytes ? " (headers without all weights)" : "",
                          fmt::join(shares, ", ")));
}

void describeConfig(const checkpoint::Checkpoint& checkpoint, ModelCard& card) {
    const Config config(checkpoint.configText(), checkpoint.configPath().string());
    card.architecture = config.architecture();
    card.modelType = config.modelType();
}

}  // namespace

ModelCard makeModelCard(const checkpoint::Checkpoint& checkpoint, std::string tokenizer) {
    ModelCard card;
    card.name = checkpoint.displayName();
    card.folder = checkpoint.folder().string();
    card.tokenizer = std::move(tokenizer);
    describeConfig(checkpoint, card);
    card.disk = bytesByDtype(checkpoint);
    card.fileCount = checkpoint.files().size();
    for (const auto& file : checkpoint.files()) {
        card.fileBytes += file.bytes;
    }
    for (const auto& share : card.disk) {
        card.storedElements += share.elements;
    }
    try {
        card.spec = loadSpec(checkpoint);
        card.parameters = countParameters(*card.spec);
    } catch (const Error& error) {
        card.unsupported = error.what();
    }
    return card;
}

std::string toText(const ModelCard& card) {
    Lines lines;
    lines.raw(card.spec ? fmt::format("{} ({})", card.name, card.spec->familyTitle) : card.name);
    lines.add("Folder", card.folder);
    if (card.spec) {
        const std::string stored =
            card.spec->storedDtype.empty() ? "" : ", stored as " + card.spec->storedDtype;
        lines.add("Architecture", card.architecture + stored);
        if (!card.spec->storage.empty()) {
            lines.add("Quantised", card.spec->storage);
        }
        addModel(*card.spec, lines);
    } else {
        lines.add("Architecture",
                  fmt::format("{} (type \"{}\")", card.architecture, card.modelType));
        lines.add("Unsupported", card.unsupported);
        lines.add("Elements", fmt::format("{} in all tensors", countText(card.storedElements)));
    }
    if (!card.tokenizer.empty()) {
        lines.add("Tokenizer", card.tokenizer);
    }
    if (card.spec) {
        addParameters(card, lines);
    }
    addDisk(card, lines);
    if (card.spec) {
        for (const auto& note : card.spec->notes) {
            lines.add("Note", note);
        }
    }
    return lines.take();
}

}  // namespace moescope::model
