// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/catch.h"
#include "widgets/models/experiment_choice_model.h"
#include "widgets/models/expert_tokens_model.h"
#include "widgets/models/pair_model.h"
#include "widgets/models/property_model.h"
#include "widgets/models/token_path_model.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>

#include <cmath>

using namespace moescope;
using namespace moescope::widgets;

namespace {

QString cell(const QAbstractItemModel& model, int row, int column) {
    return model.index(row, column).data().toString();
}

text::TokenizedCorpus corpus() {
    text::TokenizedCorpus corpus;
    corpus.ids = {5, 6, 5, 7};
    corpus.offsets = {0, 3, 4};
    corpus.tokenBytes = {" a", " b", " a", "c"};
    corpus.sources = {"one", "two"};
    corpus.domainOf = {-1, -1};
    return corpus;
}

}  // namespace

TEST_CASE("TokenPathModel: layers, choices and margin", "[widgets][models]") {
    TokenPathModel model;
    const QAbstractItemModelTester tester(&model);
    CHECK(model.rowCount() == 0);
    auto path = std::make_shared<TokenPath>();
    path->steps = {{LayerId{1}, {{3, 0.75F}, {0, 0.25F}}, 0.125F}, {LayerId{4}, {{7, 1.0F}}, {}}};
    model.setPath(path);
    CHECK(model.rowCount() == 2);
    CHECK(model.columnCount() == 4);
    CHECK(cell(model, 0, 0) == QStringLiteral("1"));
    CHECK(model.index(0, 1).data(TokenPathModel::ExpertRole).toInt() == 3);
    CHECK(model.index(0, 2).data(TokenPathModel::WeightRole).toFloat() == 0.25F);
    CHECK(cell(model, 0, 3) == QStringLiteral("0.125"));
    CHECK_FALSE(model.index(1, 2).data(TokenPathModel::ExpertRole).isValid());
    CHECK(cell(model, 1, 3).isEmpty());
    CHECK(model.rowOfLayer(LayerId{4}) == 1);
    CHECK(model.rowOfLayer(LayerId{0}) == -1);
    model.setPath(nullptr);
    CHECK(model.rowCount() == 0);
}

TEST_CASE("ExpertTokensModel: contexts stay within their document", "[widgets][models]") {
    ExpertTokensModel model;
    const QAbstractItemModelTester tester(&model);
    auto facts = std::make_shared<ExpertFacts>();
    facts->topTokens = {{5, 2, 2, 2, 0.5F}, {7, 1, 1, 3, 0.9F}};
    model.setFacts(facts, std::make_shared<const figures::TokenTable>(corpus()));
    REQUIRE(model.rowCount() == 2);
    const int context = static_cast<int>(ExpertTokensModel::Column::Context);
    CHECK(cell(model, 0, context).endsWith(QStringLiteral("]")));
    CHECK(cell(model, 0, context).contains(QStringLiteral("b[")));
    CHECK(cell(model, 1, context) == QStringLiteral("[c]"));
    CHECK(model.index(0, 0).data(ExpertTokensModel::TokenRole).toULongLong() == 2);
    CHECK(model.index(0, 1).data(ExpertTokensModel::SortRole).toULongLong() == 2);
    CHECK(cell(model, 1, static_cast<int>(ExpertTokensModel::Column::Share))
              .startsWith(QStringLiteral("100")));
}

TEST_CASE("PairModel: one row per layer of any series, gaps stay empty", "[widgets][models]") {
    PairModel model;
    const QAbstractItemModelTester tester(&model);
    auto series = std::make_shared<std::vector<PairSeries>>();
    series->push_back({"weight_similarity", "gate", {LayerId{1}, LayerId{2}}, {0.5, NAN}});
    series->push_back({"output_similarity", "mean_angular_relative", {LayerId{2}}, {0.25}});
    model.setSeries(series);
    CHECK(model.rowCount() == 2);
    REQUIRE(model.columnCount() == 3);
    CHECK(cell(model, 0, 1) == QStringLiteral("0.5000"));
    CHECK(cell(model, 0, 2).isEmpty());
    CHECK(cell(model, 1, 2) == QStringLiteral("0.2500"));
    CHECK(model.headerData(2, Qt::Horizontal, Qt::DisplayRole).toString() ==
          QStringLiteral("outputs, rel."));
    CHECK(model.rowOfLayer(LayerId{2}) == 1);
    CHECK(model.rowOfLayer(LayerId{0}) == -1);
}

TEST_CASE("PropertyModel: names and values", "[widgets][models]") {
    PropertyModel model;
    const QAbstractItemModelTester tester(&model);
    model.setProperties({{QStringLiteral("Layers"), QStringLiteral("32")}});
    CHECK(cell(model, 0, 0) == QStringLiteral("Layers"));
    CHECK(cell(model, 0, 1) == QStringLiteral("32"));
}

TEST_CASE("ExperimentChoiceModel: what can be asked for, in catalogue order", "[widgets][models]") {
    ExperimentChoiceModel model;
    const QAbstractItemModelTester tester(&model);
    const QStringList usual = model.chosen();
    CHECK(model.chosen().contains(QStringLiteral("weight_similarity")));
    CHECK_FALSE(model.chosen().contains(QStringLiteral("matched_similarity")));  // costly
    CHECK(model.chosen().size() == model.rowCount() - 5);
    CHECK_FALSE(model.chosen().contains(QStringLiteral("coloured_text")));
    QSignalSpy changed(&model, &ExperimentChoiceModel::chosenChanged);
    const QString first = model.index(0).data(ExperimentChoiceModel::IdRole).toString();
    REQUIRE(model.setData(model.index(0), Qt::Unchecked, Qt::CheckStateRole));
    CHECK(changed.size() == 1);
    CHECK_FALSE(model.chosen().contains(first));
    model.setChosen({QStringLiteral("rank_counts"), first});
    CHECK(model.chosen() == QStringList{first, QStringLiteral("rank_counts")});

    const auto isMarked = [&](int row) {
        return model.index(row).data().toString().endsWith(QStringLiteral("(in the session)"));
    };
    model.setInSession({first});  // what was chosen stays
    CHECK(model.chosen() == QStringList{first, QStringLiteral("rank_counts")});
    model.setInSession({});
    CHECK(model.chosen() == QStringList{first, QStringLiteral("rank_counts")});
    model.setChosen(usual);
    changed.clear();
    model.setInSession({first});
    CHECK(changed.size() == 1);
    CHECK(isMarked(0));
    CHECK(model.index(0).data(ExperimentChoiceModel::InSessionRole).toBool());
    CHECK_FALSE(isMarked(1));
    CHECK_FALSE(model.chosen().contains(first));
    CHECK(model.chosen().size() == model.rowCount() - 6);
    model.setInSession({});
    CHECK_FALSE(isMarked(0));
    CHECK(model.chosen().size() == model.rowCount() - 5);
}
