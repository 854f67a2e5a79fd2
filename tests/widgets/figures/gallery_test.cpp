// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Pictures to look at: with MOESCOPE_GALLERY=FOLDER set, every chart in the sizes of a paper and of
// a window, light and dark, few and many experts. Without it, one small picture of each is drawn.

#include "tests/support/catch.h"
#include "tests/widgets/figures/made_charts.h"
#include "tests/widgets/figures/made_figures.h"
#include "widgets/figures/export.h"
#include "widgets/figures/figure_view.h"
#include "widgets/support/theme.h"

#include <QTest>

#include <cmath>
#include <filesystem>
#include <fstream>

using namespace moescope;
using widgets::ExportOptions;
using widgets::FileFormat;

namespace {

/// A picture by name.
struct Exhibit {
    std::string name;
    tests::FigurePointer figure;
};

tests::FigurePointer built(const std::string& name, const tests::MadeSession& session,
                           std::optional<LayerId> layer,
                           std::optional<figures::TokenRange> tokens = {},
                           std::optional<figures::RankRange> ranks = {}) {
    const figures::FigureBuilder builder(std::make_shared<tests::MadeSource>(session));
    figures::FigureRequest request;
    request.figure = name;
    request.layer = layer;
    request.tokens = tokens;
    request.ranks = ranks;
    return std::make_shared<const figures::Figure>(builder.build(request));
}

/// With the experts that would go.
tests::FigurePointer pruned(const std::string& name, const tests::MadeSession& session,
                            std::optional<LayerId> layer) {
    const figures::FigureBuilder builder(std::make_shared<tests::MadeSource>(session));
    figures::FigureRequest request;
    request.figure = name;
    request.layer = layer;
    request.prune = figures::PruneChoice{"reap", 0.25, false};
    return std::make_shared<const figures::Figure>(builder.build(request));
}

/// Of some tokens together.
tests::FigurePointer selected(const std::string& name, const tests::MadeSession& session) {
    const figures::FigureBuilder builder(std::make_shared<tests::MadeSource>(session));
    figures::FigureRequest request;
    request.figure = name;
    request.layer = LayerId{2};
    request.tokens =
        figures::TokenSelection(std::vector<figures::TokenRange>{{2, 20}, {30, 9}, {50, 3}});
    request.mean = true;
    return std::make_shared<const figures::Figure>(builder.build(request));
}

/// The text by the rise of loss without an expert, with losses of every single removal.
tests::FigurePointer lossText(const tests::MadeSession& session) {
    const auto source = std::make_shared<tests::MadeSource>(session);
    std::vector<std::string> layers;
    std::vector<std::string> experts;
    std::vector<float> losses;
    for (int l = 1; l < session.layers; ++l) {
        layers.push_back(std::to_string(l));
        for (int e = 0; e < session.experts; ++e) {
            for (std::uint64_t t = 0; t < session.tokens; ++t) {
                const auto at = static_cast<double>(t * 7U + static_cast<std::uint64_t>(e));
                losses.push_back(static_cast<float>(2.0 + std::pow(std::sin(at), 5.0)));
            }
        }
    }
    for (int e = 0; e < session.experts; ++e) {
        experts.push_back(std::to_string(e));
    }
    source->put("expert_removal", "single_token_loss", std::nullopt,
                NdArray::from<float>({layers.size(), experts.size(), session.tokens}, losses),
                {{"at_layer", layers}, {"expert", experts}, {"position", {}}});
    figures::FigureRequest request;
    request.figure = "expert-removal-text";
    request.layer = LayerId{2};
    request.expert = 3;
    return std::make_shared<const figures::Figure>(figures::FigureBuilder(source).build(request));
}

tests::FigurePointer card(const tests::MadeSession& session) {
    const figures::FigureBuilder builder(std::make_shared<tests::MadeSource>(session));
    figures::FigureRequest request;
    request.figure = "expert-card";
    request.layer = LayerId{2};
    request.expert = 3;
    return std::make_shared<const figures::Figure>(builder.build(request));
}

/// Four checkpoints that come nearer to the last one: fewer and fewer layers choose as the first
/// layer does.
tests::FigurePointer series(const tests::MadeSession& session) {
    std::vector<std::shared_ptr<const figures::FigureBuilder>> checkpoints;
    for (int step = 0; step < 5; ++step) {
        const auto source = std::make_shared<tests::MadeSource>(session);
        source->head().model.name = "made-moe-step" + std::to_string(1000 * (step + 1));
        for (int l = 2; l < session.layers; ++l) {
            const session::QuantityId id{BranchId{}, "chosen_experts", "ids"};
            NdArray mixed = source->read(id, LayerId{l});
            const NdArray before = source->read(id, LayerId{1});
            const std::size_t row = mixed.bytes().size() / mixed.shape()[0];
            const auto every = static_cast<std::size_t>(step == 4 ? 1'000'000 : step + 1 + l % 3);
            for (std::size_t t = every - 1; t < mixed.shape()[0]; t += every) {
                std::copy_n(before.bytes().begin() + static_cast<std::ptrdiff_t>(t * row), row,
                            mixed.bytes().begin() + static_cast<std::ptrdiff_t>(t * row));
            }
            source->put("chosen_experts", "ids", LayerId{l}, std::move(mixed));
        }
        checkpoints.push_back(std::make_shared<const figures::FigureBuilder>(source));
    }
    figures::FigureRequest request;
    request.figure = "router-saturation";
    return std::make_shared<const figures::Figure>(checkpoints[0]->build(
        request, {.stop = {},
                  .other = checkpoints[1],
                  .further = {checkpoints[2], checkpoints[3], checkpoints[4]}}));
}

/// Two models: the other one chooses in most layers as the one does, in some as in the layer
/// before.
tests::FigurePointer compared(const std::string& name, const tests::MadeSession& session,
                              std::optional<LayerId> layer) {
    auto source = std::make_shared<tests::MadeSource>(session);
    source->head().model.name = "made-moe-instruct";
    for (int l = 2; l < session.layers; l += 2) {
        for (const char* quantity : {"ids", "weights"}) {
            const session::QuantityId id{BranchId{}, "chosen_experts", quantity};
            NdArray mixed = source->read(id, LayerId{l});
            const NdArray before = source->read(id, LayerId{l - 1});
            // Every third token as before.
            const std::size_t row = mixed.bytes().size() / mixed.shape()[0];
            for (std::size_t t = 0; t < mixed.shape()[0]; t += 3) {
                std::copy_n(before.bytes().begin() + static_cast<std::ptrdiff_t>(t * row), row,
                            mixed.bytes().begin() + static_cast<std::ptrdiff_t>(t * row));
            }
            source->put("chosen_experts", quantity, LayerId{l}, std::move(mixed));
        }
    }
    figures::FigureRequest request;
    request.figure = name;
    request.layer = layer;
    return std::make_shared<const figures::Figure>(
        figures::FigureBuilder(std::make_shared<tests::MadeSource>(session))
            .build(request,
                   {.stop = {}, .other = std::make_shared<const figures::FigureBuilder>(source)}));
}

std::vector<Exhibit> exhibits() {
    std::vector<Exhibit> all;
    std::vector<int> sizes{8, 32, 64};
    if (qEnvironmentVariableIsSet("MOESCOPE_GALLERY")) {
        sizes.push_back(256);
    }
    for (const int experts : sizes) {
        const std::string e = "-" + std::to_string(experts);
        tests::MadeSession session;
        session.experts = experts;
        session.topK = experts > 8 ? 6 : 2;
        session.layers = experts > 8 ? 28 : 6;
        all.push_back({"trend" + e, built("similarity-trend", session, {})});
        all.push_back(
            {"bars" + e, built("norms-scores", session, LayerId{2}, figures::TokenRange{4, 1})});
        all.push_back({"bars-six" + e,
                       built("norms-scores", session, LayerId{2}, figures::TokenRange{4, 6})});
        all.push_back({"bars-mean" + e, selected("norms-scores", session)});
        all.push_back({"ranks-selected" + e, selected("rank-counts", session)});
        all.push_back({"outputs-selected" + e, selected("output-similarity", session)});
        all.push_back({"routing-selected" + e, selected("chosen-experts", session)});
        all.push_back({"comparison" + e, compared("routing-comparison", session, LayerId{2})});
        all.push_back({"agreement" + e, compared("routing-agreement", session, {})});
        all.push_back({"importance" + e, pruned("importance", session, LayerId{2})});
        all.push_back({"importance-map" + e, pruned("importance-map", session, {})});
        all.push_back({"importance-agreement" + e, built("importance-correlation", session, {})});
        all.push_back({"importance-all" + e, built("importance", session, {})});
        all.push_back({"domain-share" + e, built("domain-share", session, LayerId{2})});
        all.push_back({"domain-share-all" + e, built("domain-share", session, {})});
        all.push_back({"domain-share-bars" + e, built("domain-share-bars", session, LayerId{2})});
        all.push_back({"load-bars-all" + e, built("load-bars", session, {})});
        all.push_back({"removal-bars" + e, built("expert-removal-bars", session, {})});
        all.push_back({"removal" + e, built("expert-removal", session, {})});
        all.push_back({"removal-table" + e, built("expert-removal-table", session, {})});
        all.push_back({"removal-tokens" + e, built("expert-removal-tokens", session, LayerId{2})});
        all.push_back({"removal-text" + e, lossText(session)});
        all.push_back({"card" + e, card(session)});
        all.push_back({"vocabulary" + e, built("vocabulary-specialisation", session, LayerId{2})});
        all.push_back({"saturation" + e, compared("router-saturation", session, {})});
        all.push_back({"saturation-series" + e, series(session)});
        all.push_back({"repetition" + e, built("repetition-table", session, LayerId{2})});
        all.push_back({"pruning" + e, built("pruning", session, {})});
        all.push_back({"pruning-table" + e, built("pruning-table", session, {})});
        all.push_back({"margins" + e, built("router-margin", session, {})});
        all.push_back({"margin-table" + e, built("router-margin-table", session, {})});
        all.push_back({"near-flips" + e, built("near-flips", session, LayerId{2})});
        all.push_back({"fewer" + e, built("fewer-experts", session, {})});
        all.push_back({"fewer-table" + e, built("fewer-experts-table", session, {})});
        all.push_back({"ranks" + e, built("rank-counts", session, LayerId{2})});
        all.push_back({"ranks-all" + e, built("rank-counts", session, {})});
        all.push_back({"experts" + e, tests::madeProjection(experts)});
        all.push_back({"experts-deep" + e, tests::madeProjection(experts, true)});
        all.push_back({"neurons" + e, tests::madeNeuronCloud(experts, 60000)});
        all.push_back({"neurons-deep" + e, tests::madeNeuronCloud(experts, 60000, true)});
        all.push_back({"regression" + e, tests::madeRegression(experts, 1)});
        all.push_back({"regression-layers" + e, tests::madeRegression(experts, experts / 2)});
        all.push_back({"states" + e, tests::madeNeuronMap(experts, 1408, 1)});
        all.push_back({"states-three" + e, tests::madeNeuronMap(experts, 3584, 3)});
    }
    tests::MadeSession many;
    many.experts = 64;
    all.push_back(
        {"ranks-bars-64", built("rank-counts", many, LayerId{2}, {}, figures::RankRange{57, 64})});
    all.push_back({"table", tests::madeTable(16)});
    tests::MadeSession mixtral;
    mixtral.layers = 32;
    mixtral.denseFirst = false;
    mixtral.family = "mixtral";
    mixtral.hiddenSize = 4096;
    mixtral.intermediateSize = 14336;
    all.push_back({"reproduction", built("reproduction", mixtral, {})});
    all.push_back({"router-table", built("router-table", mixtral, {})});
    all.push_back({"reproduction-other", built("reproduction", many, {})});
    return all;
}

void save(const std::filesystem::path& path, const QByteArray& bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.constData(), bytes.size());
}

void hang(const std::filesystem::path& folder, const Exhibit& exhibit) {
    for (const double width : {85.0, 174.0}) {
        ExportOptions options;
        options.widthMm = width;
        options.dpi = 144.0;
        const std::string name = exhibit.name + "-" + std::to_string(static_cast<int>(width));
        save(folder / (name + ".png"), widgets::renderFigure(*exhibit.figure, options));
        options.format = FileFormat::Svg;
        save(folder / (name + ".svg"), widgets::renderFigure(*exhibit.figure, options));
    }
    widgets::FigureView view;
    view.resize(680, 540);  // what a window of 1280 x 800 leaves for it
    view.setPalette(widgets::darkPalette());
    view.setFigure(exhibit.figure);
    view.show();
    QTest::qWait(1);
    view.grab().save(QString::fromStdString((folder / (exhibit.name + "-dark.png")).string()));
}

}  // namespace

TEST_CASE("Gallery: every chart is drawn", "[widgets][figures]") {
    const char* folder = std::getenv("MOESCOPE_GALLERY");
    const char* only = std::getenv("MOESCOPE_GALLERY_ONLY");
    for (const Exhibit& exhibit : exhibits()) {
        INFO(exhibit.name);
        if (folder == nullptr) {
            ExportOptions options;
            options.dpi = 36.0;
            CHECK(widgets::renderFigure(*exhibit.figure, options).size() > 1000);
        } else if (only == nullptr || exhibit.name.find(only) != std::string::npos) {
            hang(folder, exhibit);
        }
    }
}
