// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/figures/export.h"

#include "core/base/error.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/widgets/figures/made_charts.h"
#include "tests/widgets/figures/made_figures.h"

#include <QImage>
#include <QMimeData>
#include <QProcess>
#include <QRegularExpression>
#include <QStandardPaths>
#include <QXmlStreamReader>

#include <algorithm>
#include <cmath>
#include <fstream>

using namespace moescope;
using widgets::ExportOptions;
using widgets::FileFormat;

namespace {

constexpr const char* kFigures[] = {"weight-similarity", "similarity-trend", "output-similarity",
                                    "norms-scores",      "rank-counts",      "chosen-experts",
                                    "coloured-text",     "parameters"};

struct Svg {
    QStringList texts;
    QMap<QString, QString> metadata;
    int images = 0, rects = 0;
    QSizeF size;
    QString title;
    bool isClipped = false;
};

Svg parsed(const QByteArray& bytes) {
    Svg svg;
    QXmlStreamReader reader(bytes);
    while (!reader.atEnd()) {
        if (reader.readNext() != QXmlStreamReader::StartElement) {
            continue;
        }
        const QString name = reader.name().toString();
        if (reader.namespaceUri().contains(QStringLiteral("moescope"))) {
            svg.metadata[name] = reader.readElementText();
        } else if (name == QStringLiteral("text")) {
            svg.texts << reader.readElementText().trimmed();
        } else if (name == QStringLiteral("image")) {
            ++svg.images;
        } else if (name == QStringLiteral("rect") || name == QStringLiteral("path")) {
            ++svg.rects;
        } else if (name == QStringLiteral("clipPath")) {
            svg.isClipped = true;
        } else if (name == QStringLiteral("title") && svg.title.isEmpty()) {
            svg.title = reader.readElementText();
        } else if (name == QStringLiteral("svg")) {
            QString width = reader.attributes().value(QStringLiteral("width")).toString();
            svg.size.setWidth(width.remove(QStringLiteral("mm")).toDouble());
            QString height = reader.attributes().value(QStringLiteral("height")).toString();
            svg.size.setHeight(height.remove(QStringLiteral("mm")).toDouble());
            const QStringList box = reader.attributes()
                                        .value(QStringLiteral("viewBox"))
                                        .toString()
                                        .split(QLatin1Char(' '));
            CHECK(svg.size.width() / svg.size.height() ==
                  Approx(box.value(2).toDouble() / box.value(3).toDouble()).epsilon(1e-4));
        }
    }
    INFO(reader.errorString().toStdString());
    CHECK_FALSE(reader.hasError());
    return svg;
}

QString output(const QString& program, const QStringList& arguments) {
    QProcess process;
    process.start(program, arguments);
    process.waitForFinished();
    return QString::fromUtf8(process.readAllStandardOutput());
}

}  // namespace

TEST_CASE("renderFigure: PNG has the size, the resolution and the session's identity",
          "[widgets][figures]") {
    for (const char* name : kFigures) {
        const auto figure = tests::madeFigure(name);
        for (const auto& [width, dpi] : {std::pair(85.0, 300.0), std::pair(174.0, 150.0)}) {
            ExportOptions options;
            options.widthMm = width;
            options.dpi = dpi;
            const QByteArray bytes = widgets::renderFigure(*figure, options);
            const QImage image = QImage::fromData(bytes, "PNG");
            INFO(name << " " << width);
            REQUIRE_FALSE(image.isNull());
            CHECK(image.width() == std::lround(width / 25.4 * dpi));
            CHECK(std::abs(image.dotsPerMeterX() - dpi / 0.0254) <= 1);
            CHECK(image.text(QStringLiteral("Session")).toStdString() ==
                  figure->provenance.sessionUuid);
            CHECK(image.text(QStringLiteral("Model")) == QStringLiteral("made-moe"));
            CHECK(image.pixelColor(0, 0) == QColor(Qt::white));
        }
    }
}

TEST_CASE("renderFigure: a long text is a page of it, and says what is left out",
          "[widgets][figures]") {
    tests::MadeSession lengthy;
    lengthy.tokens = 20'000;
    const figures::FigureBuilder builder(std::make_shared<tests::MadeSource>(lengthy));
    figures::FigureRequest request;
    request.figure = "coloured-text";
    request.layer = LayerId{2};
    request.tokens = figures::TokenRange{100, 15'000};
    const auto texts = [&] {
        ExportOptions options;
        options.format = FileFormat::Svg;
        const auto figure = builder.build(request);
        return parsed(widgets::renderFigure(figure, options)).texts.join(QLatin1Char(' '));
    };
    static const QRegularExpression cut(
        QStringLiteral("Shown: tokens 100 to ([0-9]+) of 15.?000\\. For the rest: --tokens "
                       "([0-9]+)- ?15099"));
    const QRegularExpressionMatch match = cut.match(texts());
    REQUIRE(match.hasMatch());
    const int last = match.captured(1).toInt();
    CHECK(last > 500);
    CHECK(last < 5000);
    CHECK(match.captured(2).toInt() == last + 1);
    ExportOptions options;
    options.dpi = 96.0;
    const QImage page =
        QImage::fromData(widgets::renderFigure(builder.build(request), options), "PNG");
    CHECK(page.height() < 1300);
    request.tokens = figures::TokenRange{100, 50};
    CHECK_FALSE(texts().contains(QStringLiteral("For the rest")));
}

TEST_CASE("renderFigure: SVG holds its labels as text and small maps as shapes",
          "[widgets][figures]") {
    ExportOptions options;
    options.format = FileFormat::Svg;
    for (const char* name : kFigures) {
        const auto figure = tests::madeFigure(name);
        const Svg svg = parsed(widgets::renderFigure(*figure, options));
        INFO(name);
        CHECK(svg.texts.contains(QString::fromStdString(figure->title)));
        CHECK(svg.title.toStdString() == figure->title);
        CHECK(svg.images == 0);
        CHECK(svg.isClipped);
        CHECK(svg.size.width() == 174.0);
        CHECK(svg.metadata[QStringLiteral("Session")].toStdString() ==
              figure->provenance.sessionUuid);
    }
    const Svg map = parsed(widgets::renderFigure(*tests::madeFigure("weight-similarity"), options));
    for (const char* label : {"gate", "up", "down", "F", "7", "cosine similarity"}) {
        CHECK(map.texts.contains(QString::fromLatin1(label)));
    }
    CHECK(map.rects >= 3 * 9 * 9);
    const Svg bars = parsed(widgets::renderFigure(*tests::madeFigure("rank-counts"), options));
    for (const char* label : {"norm rank", "tokens", "score rank", "8"}) {
        CHECK(bars.texts.contains(QString::fromLatin1(label)));
    }
    tests::MadeSession many;
    many.experts = 128;
    const Svg large =
        parsed(widgets::renderFigure(*tests::madeFigure("output-similarity", 2, many), options));
    CHECK(large.images > 0);
}

TEST_CASE("renderFigure: charts keep their words as text in SVG", "[widgets][figures]") {
    ExportOptions options;
    options.format = FileFormat::Svg;
    const auto textsOf = [&](const tests::FigurePointer& figure) {
        return parsed(widgets::renderFigure(*figure, options));
    };
    const auto has = [](const Svg& svg, std::initializer_list<const char*> words) {
        for (const char* word : words) {
            INFO(word);
            CHECK(svg.texts.contains(QString::fromUtf8(word)));
        }
    };
    has(textsOf(tests::madeFigure("similarity-trend")),
        {"gate", "layer", "mean of experts", "experts with F", "outputs: angular similarity"});
    has(textsOf(tests::madeFigure("norms-scores")), {"output norm", "router score", "7"});
    const Svg experts = textsOf(tests::madeProjection(8));
    has(experts, {"PC 1 (34.2 %)", "PC 2 (12.9 %)", "F", "7", "down"});
    CHECK(experts.images == 0);
    has(textsOf(tests::madeProjection(8, true)), {"PC 3 (8.1 %)", "F"});
    has(textsOf(tests::madeRegression(8, 1)), {"mean neuron similarity", "r\u00B2 = 0.33"});
    has(textsOf(tests::madeTable(3)), {"intercept", "gate", "mean", "28"});
    has(textsOf(tests::madeFigure("reproduction")),
        {"Static parameters", "Dynamic behaviour", "published", "8 of 8", "other model"});
    has(textsOf(tests::madeNeuronMap(8, 512, 1)), {"neuron", "|v| > 0.001", "F", "511"});
    // Many points are one image, few are shapes.
    CHECK(textsOf(tests::madeNeuronCloud(8, 30000)).images == 3);
    CHECK(textsOf(tests::madeNeuronCloud(8, 300)).images == 0);
}

TEST_CASE("renderFigure: CSV of charts has every number", "[widgets][figures]") {
    const auto csvOf = [](const tests::FigurePointer& figure) {
        const std::string csv = figures::toCsv(*figure);
        return csv.substr(csv.find("\n", csv.rfind("# ")) + 1);
    };
    const auto figure = tests::madeRegression(8, 2);
    const std::string pairs = csvOf(figure);
    CHECK(pairs.rfind("panel,group,name,x,y\ngate,0,1-0,", 0) == 0);
    CHECK(std::count(pairs.begin(), pairs.end(), '\n') == 1 + 3 * 2 * 28);
    const auto& panel = std::get<figures::ScatterFigure>(figure->body).panels[1];
    std::size_t row = pairs.find("up,1,7-6,");
    REQUIRE(row != std::string::npos);
    CHECK(std::stof(pairs.substr(row + 9)) == panel.x.back());
    CHECK(csvOf(tests::madeNeuronCloud(8, 90, true)).rfind("panel,group,name,x,y,z\n", 0) == 0);
    const auto tableFigure = tests::madeTable(2);
    const std::string table = csvOf(tableFigure);
    CHECK(table.rfind("layer,role,pairs,slope,intercept,r,r\u00B2,p\n0,gate,28,", 0) == 0);
    const auto& columns = std::get<figures::TableFigure>(tableFigure->body).columns;
    CHECK(std::stod(table.substr(table.find("0,gate,28,") + 10)) == columns[3].numbers[0]);
    const auto states = tests::madeNeuronMap(4, 16, 2);
    const std::string map = csvOf(states);
    CHECK(std::count(map.begin(), map.end(), '\n') == 1 + 2 * 5 * 16);
    const auto& values = std::get<figures::NeuronMapFigure>(states->body).panels[1].values;
    row = map.rfind(",F,15,");
    CHECK(std::stof(map.substr(row + 6)) == values.at(4, 15));
}

TEST_CASE("renderFigure: PDF keeps every word of a plot on its page", "[widgets][figures]") {
    const QString tool = QStandardPaths::findExecutable(QStringLiteral("pdftotext"));
    if (tool.isEmpty()) {
        WARN("poppler-utils are not installed: places of words in PDF are not checked");
        return;
    }
    const tests::TemporaryFolder folder;
    ExportOptions options;
    options.format = FileFormat::Pdf;
    options.widthMm = 85.0;
    for (const char* name : {"rank-counts", "norms-scores"}) {
        const auto path = folder / "figure.pdf";
        widgets::exportFigure(*tests::madeFigure(name), options, path);
        const QString boxes = output(
            tool,
            {QStringLiteral("-bbox"), QString::fromStdString(path.string()), QStringLiteral("-")});
        const auto number = [](const QRegularExpressionMatch& match, int group) {
            return match.captured(group).toDouble();
        };
        const auto page = QRegularExpression(QStringLiteral("<page width=\"([0-9.]+)\" "
                                                            "height=\"([0-9.]+)\""))
                              .match(boxes);
        REQUIRE(page.hasMatch());
        CHECK(number(page, 1) == Approx(85.0 / 25.4 * 72.0).margin(0.5));  // Qt's are whole points
        const QRegularExpression word(
            QStringLiteral("<word xMin=\"([-0-9.]+)\" yMin=\"([-0-9.]+)\" xMax=\"([-0-9.]+)\" "
                           "yMax=\"([-0-9.]+)\">"));
        int words = 0;
        for (auto i = word.globalMatch(boxes); i.hasNext();) {
            const auto match = i.next();
            ++words;
            CHECK(number(match, 1) >= 0.0);
            CHECK(number(match, 3) <= number(page, 1));
            CHECK(number(match, 4) <= number(page, 2));
            // 8 to 11 points, upright or turned: nothing is blown up.
            CHECK(std::min(number(match, 3) - number(match, 1),
                           number(match, 4) - number(match, 2)) < 20.0);
        }
        CHECK(words > 30);
    }
}

TEST_CASE("renderFigure: PDF embeds its fonts and loses nothing", "[widgets][figures]") {
    const QString fonts = QStandardPaths::findExecutable(QStringLiteral("pdffonts"));
    const QString images = QStandardPaths::findExecutable(QStringLiteral("pdfimages"));
    const tests::TemporaryFolder folder;
    ExportOptions options;
    options.format = FileFormat::Pdf;
    tests::MadeSession many;
    many.experts = 128;
    for (const auto& [name, session] :
         {std::pair("weight-similarity", tests::MadeSession{}), std::pair("rank-counts", many),
          std::pair("rank-counts", tests::MadeSession{})}) {
        const auto figure = tests::madeFigure(name, 2, session);
        CHECK(widgets::renderFigure(*figure, options).startsWith("%PDF-"));
        if (fonts.isEmpty() || images.isEmpty()) {
            WARN("poppler-utils are not installed: fonts and images of PDF are not checked");
            continue;
        }
        const auto path = folder / "figure.pdf";
        widgets::exportFigure(*figure, options, path);
        const QString file = QString::fromStdString(path.string());
        const QStringList table =
            output(fonts, {file}).split(QLatin1Char('\n'), Qt::SkipEmptyParts);
        REQUIRE(table.size() > 2);
        CHECK(table[2].contains(QStringLiteral(" yes ")));
        CHECK_FALSE(
            output(images, {QStringLiteral("-list"), file}).contains(QStringLiteral("jpeg")));
    }
}

TEST_CASE("exportFigure: writes whole files or says why not", "[widgets][figures]") {
    const tests::TemporaryFolder folder;
    const auto figure = tests::madeFigure("parameters");
    ExportOptions options;
    options.format = FileFormat::Csv;
    widgets::exportFigure(*figure, options, folder / "p.csv");
    std::ifstream in(folder / "p.csv");
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    CHECK(text == figures::toCsv(*figure));
    CHECK_THROWS_AS(widgets::exportFigure(*figure, options, folder / "absent" / "p.csv"), Error);
    options.format = FileFormat::Png;
    for (const double width : {0.0, -5.0, 1e9, std::nan("")}) {
        options.widthMm = width;
        CHECK_THROWS_AS(widgets::renderFigure(*figure, options), Error);
    }
    options.widthMm = 85.0;
    options.dpi = 1.0;
    CHECK_THROWS_AS(widgets::renderFigure(*figure, options), Error);
    tests::MadeSession lengthy;
    lengthy.tokens = 40000;
    options.dpi = 600.0;
    CHECK_THROWS_AS(
        widgets::renderFigure(*tests::madeFigure("chosen-experts", 2, lengthy), options), Error);
}

TEST_CASE("renderFigure: dark is dark, light is light", "[widgets][figures]") {
    ExportOptions options;
    options.dpi = 72.0;
    options.dark = true;
    const auto figure = tests::madeFigure("rank-counts");
    const QImage dark = QImage::fromData(widgets::renderFigure(*figure, options));
    CHECK(dark.pixelColor(1, 1).lightness() < 60);
}

TEST_CASE("clipboardData: picture, drawing and numbers", "[widgets][figures]") {
    const auto figure = tests::madeFigure("rank-counts");
    const std::unique_ptr<QMimeData> data(widgets::clipboardData(*figure, 120.0));
    CHECK(data->hasImage());
    CHECK(data->data(QStringLiteral("image/svg+xml")).contains("<svg"));
    CHECK(data->text().toStdString() == figures::toCsv(*figure));
    const QImage image = QImage::fromData(data->data(QStringLiteral("image/png")));
    CHECK(image.width() == std::lround(120.0 / 25.4 * 192.0));
}
