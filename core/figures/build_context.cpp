// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/build_context.h"

#include "core/base/error.h"
#include "core/experiments/catalogue.h"
#include "core/experiments/options.h"
#include "core/figures/stopped.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::figures {
namespace {

std::string heldBy(const session::Head& head) {
    std::string list;
    for (const session::ExperimentRecord& record : head.experiments) {
        if (record.state != session::ExperimentState::Planned) {
            list += (list.empty() ? "" : ", ") + record.id;
        }
    }
    return list.empty() ? "no experiments" : list;
}

const session::ExperimentRecord* recordOf(const session::Head& head, std::string_view experiment) {
    const auto found =
        std::find_if(head.experiments.begin(), head.experiments.end(),
                     [&](const session::ExperimentRecord& r) { return r.id == experiment; });
    return found == head.experiments.end() ? nullptr : &*found;
}

/// "layers 0, 15, 31"
std::string namesOf(const std::vector<LayerId>& layers) {
    std::string names;
    for (const LayerId layer : layers) {
        names += (names.empty() ? "" : ", ") + std::to_string(layer.value);
    }
    return layers.empty() ? "no layers" : (layers.size() == 1 ? "layer " : "layers ") + names;
}

bool isExpertLabel(const std::string& label) {
    return !label.empty() && std::all_of(label.begin(), label.end(),
                                         [](unsigned char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

session::QuantityId BuildContext::id(std::string quantity) const {
    return {request.branch, std::string(info.experiment), std::move(quantity)};
}

const session::QuantityInfo* BuildContext::find(const std::string& quantity) const {
    return source.find(id(quantity));
}

const session::QuantityInfo& BuildContext::require(const std::string& quantity) const {
    const session::QuantityInfo* found = find(quantity);
    if (found == nullptr) {
        const bool partly = recordOf(head(), info.experiment) != nullptr;
        throw Error(
            ErrorCode::Usage,
            partly ? fmt::format("The figure {} needs {}/{}, which this session's {} has not come "
                                 "to: it was asked for something else, or is not finished. Add it "
                                 "with: moescope analyze ... --experiments {}",
                                 info.name, info.experiment, quantity, info.experiment,
                                 info.experiment)
                   : fmt::format("The figure {} needs {}/{}, which this session does not hold; it "
                                 "holds {}. Add it with: moescope analyze ... --experiments {}",
                                 info.name, info.experiment, quantity, heldBy(head()),
                                 info.experiment));
    }
    return *found;
}

NdArray BuildContext::read(const std::string& quantity, std::optional<LayerId> layer) const {
    throwIfStopped();
    return source.read(id(quantity), layer);
}

int BuildContext::experts(LayerId layer) const {
    const auto& layers = head().model.layers;
    const auto index = static_cast<std::size_t>(layer.value);
    return layer.value >= 0 && index < layers.size() ? layers[index].experts : 0;
}

Figure BuildContext::frame(const std::string& what, std::uint64_t tokens) const {
    const session::Head& h = head();
    Figure figure;
    figure.name = info.name;
    figure.title = request.layer
                       ? fmt::format("{}, layer {}: {}", h.model.name, request.layer->value, what)
                       : fmt::format("{}: {}", h.model.name, what);
    const session::ExperimentRecord* record = recordOf(h, info.experiment);
    const experiments::ExperimentInfo* known = experiments::findExperiment(info.experiment);
    // Of one version both say the same, and this program's words are the newer ones.
    const bool isOther = record != nullptr && !record->definition.empty() &&
                         (known == nullptr || record->version != known->version);
    const std::string definition = isOther            ? record->definition
                                   : known != nullptr ? std::string(known->definition)
                                                      : std::string();
    figure.caption = definition;
    if (tokens > 0) {
        figure.caption += fmt::format(" {} {}.", tokens, tokens == 1 ? "token" : "tokens");
    }
    // Parameters are counted, whatever the dtype of the run.
    if (!h.run.dtype.empty() && info.experiment != "parameters") {
        figure.caption += fmt::format(" Computed in {}.", h.run.dtype);
    }
    figure.howToRead = known != nullptr ? std::string(known->howToRead) : std::string();

    Provenance& from = figure.provenance;
    from.sessionUuid = h.uuid;
    from.sessionTitle = h.title;
    from.model = h.model.name;
    from.modelIdentity = h.model.identity;
    from.family = h.model.familyTitle;
    from.dtype = h.run.dtype;
    from.device = h.run.device;
    from.programVersion = h.run.programVersion;
    from.createdUtc = h.run.createdUtc;
    from.experiment = info.experiment;
    from.definition = definition;
    from.source = known != nullptr ? std::string(known->source) : std::string();
    from.layer = request.layer;
    from.tokens = tokens;
    for (const session::Branch& branch : h.branches) {
        if (branch.id == request.branch && branch.id != BranchId{}) {
            from.branch = branch.name;
        }
    }
    return figure;
}

LayerId BuildContext::layerOf(const session::QuantityInfo& quantity) const {
    if (request.layer) {
        return *request.layer;
    }
    if (quantity.layers.empty()) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("{} of {} has no layers; the session is damaged.",
                                quantity.id.quantity, quantity.id.experiment));
    }
    return quantity.layers.front();
}

std::vector<LayerId> BuildContext::layersOf(const session::QuantityInfo& quantity) const {
    const std::vector<LayerId>& have = quantity.layers;
    for (const LayerId layer : request.layers) {
        if (std::find(have.begin(), have.end(), layer) == have.end()) {
            throw Error(ErrorCode::Usage,
                        fmt::format("Layer {} was asked for, and the session has {} for {}.",
                                    layer.value, info.name, namesOf(have)));
        }
    }
    return request.layers.empty() ? have : request.layers;
}

std::string BuildContext::layersText() const {
    return request.layers.empty() ? "all layers" : namesOf(request.layers);
}

void BuildContext::throwIfStopped() const {
    figures::throwIfStopped(stop);
}

TokenSelection BuildContext::tokens() const {
    const std::uint64_t total = head().corpus.tokenCount();
    TokenSelection asked = request.tokens.value_or(TokenSelection(TokenRange{0, total}));
    if (total == 0) {
        throw Error(
            ErrorCode::Usage,
            fmt::format("The figure {} needs a text, and this session has none.", info.name));
    }
    if (asked.empty() || asked.end() > total) {
        throw Error(ErrorCode::Usage,
                    fmt::format("The session has tokens 0 to {}, but {} were asked for.", total - 1,
                                describe(asked)));
    }
    return asked;
}

bool BuildContext::isSelection() const {
    return request.tokens && tokens().count() < head().corpus.tokenCount();
}

TokenSelection BuildContext::counted(const TokenSelection& tokens) const {
    const session::ExperimentRecord* record = recordOf(head(), info.experiment);
    if (record == nullptr ||
        !experiments::parseOptions(info.experiment, record->optionsJson).skipFirstToken) {
        return tokens;
    }
    std::vector<TokenRange> ranges;
    const auto& offsets = head().corpus.offsets;
    for (const TokenRange& range : tokens.ranges()) {
        std::uint64_t from = range.first;
        for (auto start = std::lower_bound(offsets.begin(), offsets.end(), range.first);
             start != offsets.end() && *start < range.end(); ++start) {
            ranges.push_back({from, *start - from});
            from = *start + 1;
        }
        ranges.push_back({from, range.end() - from});
    }
    return TokenSelection(std::move(ranges));
}

void BuildContext::saySelection(Figure& figure, std::uint64_t used, std::uint64_t asked,
                                const std::string& what) const {
    if (!isSelection()) {
        return;
    }
    figure.provenance.selection = describe(*request.tokens);
    figure.title += ", " + figure.provenance.selection;
    if (used < asked) {
        figure.caption +=
            fmt::format(" Of the {} selected tokens, {} have {} kept.", asked, used, what);
    } else {
        figure.caption += " Selected tokens only.";
    }
}

void BuildContext::giveNotice(Figure& figure, const TokenSelection& asked, std::uint64_t shown,
                              const std::string& what, std::uint64_t kept) const {
    figure.notice = fmt::format(
        "No {} are kept of {}: the nearest token with some is shown, {}. "
        "The session keeps them for {} of its {} tokens.",
        what, describe(asked), shown, kept, head().corpus.tokenCount());
    figure.caption = figure.notice + " " + figure.caption;
}

std::vector<std::string> labelsOf(const session::Axis& axis, std::size_t count) {
    if (axis.labels.size() == count) {
        return axis.labels;
    }
    std::vector<std::string> labels(count);
    for (std::size_t i = 0; i < count; ++i) {
        labels[i] = std::to_string(i);
    }
    return labels;
}

std::size_t countBeforeGap(const std::vector<std::string>& labels) {
    const auto other = std::find_if_not(labels.begin(), labels.end(), isExpertLabel);
    return other == labels.end() ? 0 : static_cast<std::size_t>(other - labels.begin());
}

std::string baselinesOf(const session::Head& head, const std::vector<std::string>& labels) {
    const auto names = [](const std::string& label, const std::string& baseline) {
        return label == baseline || label.ends_with(" " + baseline);
    };
    std::string text;
    for (std::size_t i = 0; i < head.baselines.size(); ++i) {
        const std::string baseline = head.baselines.size() == 1 ? "F" : fmt::format("F{}", i + 1);
        if (std::any_of(labels.begin(), labels.end(),
                        [&](const std::string& label) { return names(label, baseline); })) {
            text += fmt::format(" {} = {}.", baseline, head.baselines[i].name);
        }
    }
    return text;
}

Matrix toMatrix(const NdArray& array) {
    const Shape& shape = array.shape();
    if (shape.size() != 2) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("A matrix was expected in the session, found {} dimensions; the "
                                "file is damaged or of another program.",
                                shape.size()));
    }
    Matrix matrix{static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1]), {}};
    matrix.values.reserve(array.size());
    for (std::uint64_t i = 0; i < array.size(); ++i) {
        matrix.values.push_back(static_cast<float>(array.at(i)));
    }
    return matrix;
}

}  // namespace moescope::figures
