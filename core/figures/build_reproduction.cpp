// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/catalogue.h"
#include "core/figures/build_context.h"
#include "core/figures/reproduction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace moescope::figures {
namespace {

constexpr const char* kPaper = "A Closer Look into Mixture-of-Experts in Large Language Models";
constexpr const char* kSource = "arXiv 2406.18219v3";
constexpr const char* kNone = "\u2013";

// Columns.
constexpr std::size_t kLabel = 0;
constexpr std::size_t kQuantity = 1;
constexpr std::size_t kPublished = 2;
constexpr std::size_t kMeasured = 3;
constexpr std::size_t kDeviation = 4;
constexpr std::size_t kState = 5;
constexpr std::size_t kSaid = 6;
constexpr std::size_t kWhere = 7;
constexpr std::size_t kColumns = 8;

std::vector<TableColumn> emptyColumns() {
    using Kind = TableColumn::Kind;
    std::vector<TableColumn> columns(kColumns);
    columns[kLabel] = {"id", Kind::Text, {}, {}};
    columns[kQuantity] = {"quantity", Kind::Text, {}, {}, true};
    columns[kPublished] = {"published", Kind::Number, {}, {}, true};
    columns[kMeasured] = {"measured", Kind::Number, {}, {}, true};
    columns[kDeviation] = {"deviation", Kind::Number, {}, {}};
    columns[kState] = {"state", Kind::Text, {}, {}, true};
    columns[kSaid] = {"as published", Kind::Text, {}, {}, false, true};
    columns[kWhere] = {"source", Kind::Text, {}, {}, false, true};
    return columns;
}

bool isStatic(const experiments::ExperimentInfo* experiment) {
    return experiment != nullptr && experiment->kind == experiments::ExperimentKind::Static;
}

/// "Table 2: gate 0.31, up 0.29; 2 of 32 layers. Bfloat16 there."
std::string noteOf(const PaperValue& value, const Measured& measured) {
    const std::string& first = measured.missing.empty() ? measured.detail : measured.missing;
    std::string note(value.source);
    if (!first.empty()) {
        note += ": " + first;
    }
    note += note.back() == '.' ? " " : ". ";
    return note + std::string(infoOf(value.measure).procedure);
}

class Page {
public:
    explicit Page(const BuildContext& context)
        : m_context(context),
          m_same(findPaperModel(context.head().model)),
          m_model(paperModelBeside(context.head().model)) {
        m_body.columns = emptyColumns();
    }

    [[nodiscard]] Figure figure() {
        for (const PaperValue& value : m_model.values) {
            add(value);
        }
        Figure figure = m_context.frame(m_same != nullptr
                                            ? std::string("reproduction")
                                            : fmt::format("reproduction, beside {}", m_model.title),
                                        m_context.head().corpus.ids.size());
        figure.caption = caption();
        figure.howToRead =
            "Deviation is measured minus published. A row agrees when it lies within what the "
            "paper gives, to its last digit; S_ee is between experts, S_ef between experts and the "
            "dense baseline F.";
        figure.provenance.experiment.clear();
        figure.provenance.definition = figure.caption;
        figure.provenance.source = kSource;
        figure.body = std::move(m_body);
        return figure;
    }

private:
    void add(const PaperValue& value) {
        const MeasureInfo& info = infoOf(value.measure);
        const auto* experiment = experiments::findExperiment(info.experiment);
        addSection(isStatic(experiment) ? "Static parameters" : "Dynamic behaviour");
        const Measured own =
            measured(m_context.source, m_context.request.branch, m_model, value, m_same != nullptr);
        const RowState state = stateOf(value, own, m_same != nullptr);
        auto& columns = m_body.columns;
        columns[kLabel].texts.emplace_back(experiment == nullptr ? "" : experiment->label);
        columns[kQuantity].texts.push_back(fmt::format(
            fmt::runtime(info.name), value.role.empty() ? std::string_view("all") : value.role));
        addNumber(kPublished, value.value, std::string(value.said));
        addNumber(kMeasured, own.value, own.shown);
        addNumber(kDeviation, own.isComparable ? own.value - value.value : std::nan(""), "");
        columns[kState].texts.emplace_back(nameOf(state));
        columns[kSaid].texts.emplace_back(value.said);
        columns[kWhere].texts.emplace_back(value.source);
        m_body.notes.push_back(noteOf(value, own));
        if (state == RowState::Deviates) {
            m_body.flagged.push_back(m_body.rows);
        }
        ++m_body.rows;
    }

    void addSection(const char* title) {
        if (m_body.sections.empty() || m_body.sections.back().title != title) {
            m_body.sections.push_back({m_body.rows, title});
        }
    }

    void addNumber(std::size_t column, double number, std::string shown) {
        m_body.columns[column].numbers.push_back(number);
        m_body.columns[column].texts.push_back(
            shown.empty() && !std::isfinite(number) ? kNone : std::move(shown));
    }

    [[nodiscard]] std::string caption() const {
        const session::Head& head = m_context.head();
        std::string text =
            m_same != nullptr
                ? fmt::format(
                      "Published values of \u201C{}\u201D ({}) for {}, the base model, "
                      "recognised by its sizes, beside those of this session.",
                      kPaper, kSource, m_model.title)
                : fmt::format(
                      "{} is none of the models of \u201C{}\u201D ({}): its values stand "
                      "beside those of {}, {}, and a deviation tells two models apart. "
                      "Layers stand for those of the same relative depth.",
                      head.model.name, kPaper, kSource, m_model.title,
                      m_model.family == head.model.family ? "of the same family"
                                                          : "the nearest in form");
        if (!head.corpus.ids.empty()) {
            text += fmt::format(
                " The text has {} tokens; the paper\u2019s about 1100, its short "
                "prompt 7.",
                head.corpus.ids.size());
        }
        if (m_same != nullptr && !head.model.storedDtype.empty() &&
            head.model.storedDtype != "bfloat16") {
            text += fmt::format(" Weights are stored as {}, not as the bfloat16 of the paper.",
                                head.model.storedDtype);
        }
        if (!head.run.dtype.empty()) {
            text += fmt::format(" Computed in {}.", head.run.dtype);
        }
        return text;
    }

    const BuildContext& m_context;
    const PaperModel* m_same;
    const PaperModel& m_model;
    TableFigure m_body;
};

}  // namespace

Figure buildReproduction(const BuildContext& context) {
    const auto& layers = context.head().model.layers;
    if (std::none_of(layers.begin(), layers.end(),
                     [](const session::LayerSummary& layer) { return layer.isRouted(); })) {
        Figure figure = context.frame("reproduction", 0);
        figure.caption.clear();
        figure.howToRead.clear();
        figure.body = NoticeFigure{"Every layer is dense: the paper is about experts"};
        return figure;
    }
    return Page(context).figure();
}

}  // namespace moescope::figures
