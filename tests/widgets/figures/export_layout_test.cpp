// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Where the words of exported figures stand, read back from SVG: inside the page, apart from each
// other, large enough for print, at every width a paper uses.

#include "tests/support/catch.h"
#include "tests/widgets/figures/made_charts.h"
#include "tests/widgets/figures/made_figures.h"
#include "widgets/figures/export.h"

#include <QFont>
#include <QFontMetricsF>
#include <QRegularExpression>
#include <QTransform>
#include <QXmlStreamReader>

#include <cmath>
#include <vector>

using namespace moescope;
using widgets::ExportOptions;
using widgets::FileFormat;

namespace {

constexpr double kSmallest = 8.0;  // 6 pt in pixels of 1/96 inch
constexpr double kPixelsPerMm = 96.0 / 25.4;

struct Word {
    QString text;
    QRectF box;  ///< in pixels of the page
    double size = 0.0;
};

QTransform transformOf(const QString& attribute) {
    static const QRegularExpression form(QStringLiteral("matrix\\(([^)]*)\\)"));
    const QStringList v =
        form.match(attribute).captured(1).split(QLatin1Char(','), Qt::SkipEmptyParts);
    if (v.size() != 6) {
        return {};
    }
    return {v[0].toDouble(), v[1].toDouble(), v[2].toDouble(),
            v[3].toDouble(), v[4].toDouble(), v[5].toDouble()};
}

/// Qt's generator writes a group with the transform around each run of text.
std::vector<Word> wordsOf(const QByteArray& svg) {
    std::vector<Word> words;
    std::vector<QTransform> stack{QTransform()};
    QXmlStreamReader reader(svg);
    while (!reader.atEnd()) {
        const auto token = reader.readNext();
        if (token == QXmlStreamReader::EndElement && reader.name() == QLatin1String("g")) {
            stack.pop_back();
        }
        if (token != QXmlStreamReader::StartElement) {
            continue;
        }
        const auto attributes = reader.attributes();
        if (reader.name() == QLatin1String("g")) {
            stack.push_back(transformOf(attributes.value(QLatin1String("transform")).toString()) *
                            stack.back());
        } else if (reader.name() == QLatin1String("text")) {
            QFont font(attributes.value(QLatin1String("font-family"))
                           .toString()
                           .section(QLatin1Char(','), 0, 0));
            const double size = attributes.value(QLatin1String("font-size")).toDouble();
            font.setPixelSize(static_cast<int>(std::lround(size)));
            const QPointF at(attributes.value(QLatin1String("x")).toDouble(),
                             attributes.value(QLatin1String("y")).toDouble());
            const QTransform place = stack.back();
            const QString text = reader.readElementText().trimmed();
            const QFontMetricsF metrics(font);
            // From the baseline up: digits and capitals have nothing below it.
            const QRectF box(at.x(), at.y() - 0.7 * size, metrics.horizontalAdvance(text),
                             0.7 * size);
            words.push_back(
                {text, place.mapRect(box), size * std::hypot(place.m11(), place.m12())});
        }
    }
    return words;
}

std::shared_ptr<const figures::Figure> figureOf(const std::string& name, int experts, bool layers) {
    tests::MadeSession session;
    session.experts = experts;
    const figures::FigureBuilder builder(std::make_shared<tests::MadeSource>(session));
    if (!layers) {
        return tests::madeFigure(name, 2, session);
    }
    figures::FigureRequest request;
    request.figure = name;
    return std::make_shared<const figures::Figure>(builder.build(request));
}

void checkWords(const figures::Figure& figure, double widthMm) {
    ExportOptions options;
    options.format = FileFormat::Svg;
    options.widthMm = widthMm;
    const double width = widthMm * kPixelsPerMm;
    const std::vector<Word> words = wordsOf(widgets::renderFigure(figure, options));
    REQUIRE(words.size() > 3);
    for (std::size_t i = 0; i < words.size(); ++i) {
        INFO("\"" << words[i].text.toStdString() << "\" at " << words[i].box.x() << ", "
                  << words[i].box.y() << " of " << width);
        CHECK(words[i].size >= kSmallest - 0.01);
        CHECK(words[i].box.left() >= 0.0);
        CHECK(words[i].box.right() <= width + 1.0);
        for (std::size_t j = i + 1; j < words.size(); ++j) {
            const QRectF both = words[i].box & words[j].box;
            if (both.width() > 1.0 && both.height() > 1.0) {
                FAIL_CHECK("it lies over \"" << words[j].text.toStdString() << "\" at "
                                             << words[j].box.x() << ", " << words[j].box.y());
            }
        }
    }
}

}  // namespace

TEST_CASE("Exported figures: no word is cut, too small or over another", "[widgets][figures]") {
    const int experts = GENERATE(8, 16, 32, 64);
    const double width = GENERATE(85.0, 120.0, 174.0);
    for (const char* name :
         {"weight-similarity", "similarity-trend", "output-similarity", "norms-scores",
          "rank-counts", "chosen-experts", "coloured-text", "parameters"}) {
        INFO(name << ", " << experts << " experts, " << width << " mm");
        checkWords(*figureOf(name, experts, false), width);
    }
    INFO("all layers, " << experts << " experts, " << width << " mm");
    checkWords(*figureOf("weight-similarity", experts, true), width);
    checkWords(*figureOf("rank-counts", experts, true), width);
}

TEST_CASE("Exported charts: no word is cut, too small or over another", "[widgets][figures]") {
    const int experts = GENERATE(8, 32, 64);
    const double width = GENERATE(85.0, 120.0, 174.0);
    INFO(experts << " experts, " << width << " mm");
    checkWords(*tests::madeProjection(experts), width);
    checkWords(*tests::madeProjection(experts, true), width);
    checkWords(*tests::madeNeuronCloud(experts, 21000), width);
    checkWords(*tests::madeRegression(experts, 1), width);
    checkWords(*tests::madeRegression(8, experts / 2), width);
    checkWords(*tests::madeNeuronMap(experts, 1408, 1), width);
    checkWords(*tests::madeNeuronMap(experts, 14336, 3), width);
    checkWords(*tests::madeTable(experts / 2), width);
    checkWords(*figureOf("reproduction", experts, true), width);
    tests::MadeSession mixtral{.layers = 32, .denseFirst = false};
    mixtral.family = "mixtral";
    mixtral.hiddenSize = 4096;
    mixtral.intermediateSize = 14336;
    checkWords(*tests::madeFigure("reproduction", 0, mixtral), width);
    checkWords(*tests::madeFigure("router-table", 0, mixtral), width);  // with a column more
    tests::MadeSession session;
    session.experts = experts;
    const figures::FigureBuilder builder(std::make_shared<tests::MadeSource>(session));
    figures::FigureRequest request;
    request.figure = "norms-scores";
    request.layer = LayerId{2};
    request.tokens = figures::TokenRange{4, 9};
    checkWords(builder.build(request), width);
    request = {};
    request.figure = "rank-counts";
    request.sideBySide = true;
    checkWords(builder.build(request), width);
    request.sideBySide = false;
    request.ranks = figures::RankRange{experts - 7, experts};
    checkWords(builder.build(request), width);
}

TEST_CASE("Exported colour bars: ends that values lie beyond meet no other number",
          "[widgets][figures]") {
    const double width = GENERATE(85.0, 174.0);
    const figures::FigureBuilder builder(std::make_shared<tests::MadeSource>(tests::MadeSession{}));
    using Kind = figures::ColourRange::Kind;
    for (const double end : {0.5, 0.45, 0.2093, 0.0912, 0.00912}) {
        INFO(end << ", " << width << " mm");
        figures::FigureRequest request;  // a lying bar
        request.figure = "expert-removal-text";
        request.removal = figures::parseRemovalChoice("0:1,2:3");
        request.range = {Kind::Fixed, -end, end};
        checkWords(builder.build(request), width);
        for (const double low : {-end, end / 2.0, end / 1.1}) {  // upright ones
            request = {};
            request.figure = "weight-similarity";
            request.layer = LayerId{2};
            request.range = {Kind::Fixed, low, end};
            checkWords(builder.build(request), width);
        }
    }
}

TEST_CASE("Exported tables: every column is there at one column's width", "[widgets][figures]") {
    ExportOptions options;
    options.format = FileFormat::Svg;
    options.widthMm = 85.0;
    QStringList texts;
    for (const Word& word :
         wordsOf(widgets::renderFigure(*tests::madeFigure("parameters"), options))) {
        texts << word.text;
    }
    for (const char* heading : {"component", "all", "share", "active per token"}) {
        CHECK(texts.contains(QString::fromLatin1(heading)));
    }
    // Numbers as long as they come: fewer digits rather than a column cut off.
    figures::Figure statistics = *tests::madeFigure("router-table", 0);
    for (figures::TableColumn& column : std::get<figures::TableFigure>(statistics.body).columns) {
        for (std::size_t row = 0; row < column.numbers.size(); ++row) {
            column.numbers[row] = row % 2 == 0 ? -0.00895321 : 6.06123e-05;
        }
    }
    checkWords(statistics, options.widthMm);
}
