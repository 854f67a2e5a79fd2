// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Pictures of the window and of exported figures for people to look at: not run by default. Set
// MOESCOPE_SCREENSHOTS to a folder and run test_app_screenshots "[screenshots]";
// MOESCOPE_SCREENSHOT_SESSION names a real session to show instead of a made-up one.

#include "app/appearance.h"
#include "tests/app/window_fixture.h"
#include "tests/support/catch.h"
#include "widgets/figures/export.h"
#include "widgets/panels/help_window.h"
#include "widgets/panels/new_analysis_dialog.h"

#include <QDir>

using namespace moescope;
using namespace moescope::widgets;
using moescope::tests::SyntheticRun;
using moescope::tests::WindowFixture;

namespace {

void save(QWidget& widget, const QString& name) {
    const QDir folder(qEnvironmentVariable("MOESCOPE_SCREENSHOTS"));
    REQUIRE(widget.grab().save(folder.filePath(name + QStringLiteral(".png"))));
}

void open(WindowFixture& w) {
    const QString real = qEnvironmentVariable("MOESCOPE_SCREENSHOT_SESSION");
    if (real.isEmpty()) {
        w.openSession();
        return;
    }
    w.window().openPaths({real});
    REQUIRE(QTest::qWaitFor([&] { return w.workspace().current() != nullptr; }));
    w.waitFigure();
}

}  // namespace

TEST_CASE("Screenshots", "[.][screenshots]") {
    const int experts = GENERATE(8, 64);
    const auto scheme = GENERATE(ColourScheme::Light, ColourScheme::Dark);
    const QSize size = GENERATE(QSize(1280, 800), QSize(2560, 1440));
    const QString tag =
        QStringLiteral("%1_%2_%3")
            .arg(QString::number(experts),
                 scheme == ColourScheme::Light ? QStringLiteral("light") : QStringLiteral("dark"),
                 QString::number(size.width()));
    SyntheticRun run;
    run.experts = experts;
    run.topK = experts == 8 ? 2 : 6;
    run.layers = experts == 8 ? 8 : 28;
    run.tokens = 600;
    WindowFixture w(run);
    app::Appearance appearance(w.settings());
    w.settings().setColourScheme(scheme);
    appearance.apply();
    w.window().resize(size);
    QTest::qWait(100);
    save(w.window(), tag + QStringLiteral("_empty"));
    open(w);
    w.window().resize(size);
    for (int i = 0; i < w.window().figures().panels().size(); ++i) {
        const figures::FigureInfo& info = w.window().figures().panels().at(i)->info();
        const std::string_view name = info.name;
        if (info.needsOther) {
            continue;  // there is one session only
        }
        w.showFigure(name);
        if (name == "output-similarity") {
            w.selection().setPair(PairSelection{QStringLiteral("2"), QStringLiteral("5")});
        } else if (name == "norms-scores") {
            w.selection().selectToken(17);
        } else if (name == "chosen-experts") {
            w.selection().setExperts({3});
        }
        QTest::qWait(300);
        save(w.window(), QStringLiteral("%1_%2").arg(
                             tag, QString::fromUtf8(name.data(), qsizetype(name.size()))));
        if (name == "norms-scores") {
            w.selection().clear();  // states are kept of other tokens
        }
    }
    w.actions().tiles->trigger();
    QTest::qWait(400);
    save(w.window(), tag + QStringLiteral("_tiles"));
    w.actions().palette->trigger();
    QTest::qWait(100);
    save(w.window(), tag + QStringLiteral("_palette"));
    w.showFigure("reproduction");
    w.actions().help->trigger();
    QTest::qWait(100);
    save(w.find<HelpWindow>("helpWindow"), tag + QStringLiteral("_help"));
    w.actions().newAnalysis->trigger();
    QTest::qWait(200);
    save(w.find<NewAnalysisDialog>("newAnalysisDialog"), tag + QStringLiteral("_analysis"));
}

TEST_CASE("Exports", "[.][screenshots]") {
    const QString real = qEnvironmentVariable("MOESCOPE_SCREENSHOT_SESSION");
    const int experts = real.isEmpty() ? GENERATE(8, 32, 64) : 0;
    const double width = GENERATE(85.0, 120.0, 174.0);
    SyntheticRun run;
    run.experts = std::max(experts, 1);
    run.topK = experts > 8 ? 6 : std::min(run.experts, 2);
    run.layers = 12;
    const tests::SyntheticSession made(run);
    const LoadedSession session =
        loadSession(real.isEmpty() ? made.file() : std::filesystem::path(real.toStdString()));
    const QString model = QString::fromStdString(session.builder->head().model.name);
    const auto save = [&](const figures::FigureRequest& request, const char* suffixText) {
        const QString name = QStringLiteral("export_%1_%2_%3%4")
                                 .arg(real.isEmpty() ? QString::number(experts) : model)
                                 .arg(QString::fromStdString(request.figure))
                                 .arg(width)
                                 .arg(QString::fromLatin1(suffixText));
        ExportOptions options;
        options.widthMm = width;
        const figures::Figure figure = session.builder->build(request);
        for (const FileFormat format : {FileFormat::Png, FileFormat::Svg, FileFormat::Pdf}) {
            options.format = format;
            options.dpi = 192;
            const std::string_view ending = suffix(format);
            exportFigure(figure, options,
                         QDir(qEnvironmentVariable("MOESCOPE_SCREENSHOTS"))
                             .filePath(name + QLatin1Char('.') +
                                       QString::fromLatin1(ending.data(), qsizetype(ending.size())))
                             .toStdString());
        }
    };
    for (const figures::FigureInfo* info : session.builder->available()) {
        figures::FigureRequest request;
        request.figure = info->name;
        if (info->perLayer) {
            request.layer = LayerId{3};
        }
        if (info->takesTokens && !info->hasRoles && info->name != "output-similarity") {
            request.tokens = figures::TokenRange{0, info->needsToken ? 1U : 60U};
        }
        request.withTotal = info->hasTotal;
        save(request, "");
        if (info->hasRoles && info->hasTotal) {
            request.layer.reset();
            save(request, "_layers");
        }
    }
}
