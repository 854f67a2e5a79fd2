// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/export_dialog.h"

#include "tests/app/window_fixture.h"
#include "tests/support/catch.h"
#include "widgets/panels/message_bar.h"

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QElapsedTimer>
#include <QFile>
#include <QImage>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QRadioButton>
#include <QSignalSpy>
#include <QXmlStreamReader>

#include <cmath>
#include <iostream>

using namespace moescope;
using namespace moescope::widgets;
using moescope::tests::WindowFixture;

namespace {

/// Opens the dialog on rank counts, fills it and exports; the files written.
QStringList exportAs(WindowFixture& w, const char* format, bool allLayers) {
    w.openSession();
    w.showFigure(5);
    w.actions().exportFigure->trigger();
    auto& dialog = w.find<ExportDialog>("exportDialog");
    auto& formats = w.find<QComboBox>("exportFormat");
    formats.setCurrentIndex(formats.findData(QString::fromLatin1(format)));
    w.find<QDoubleSpinBox>("exportWidth").setValue(85);
    w.find<QDoubleSpinBox>("exportDpi").setValue(200);
    w.find<QLineEdit>("exportFolder")
        .setText(QString::fromStdString((w.session().folder() / "figures").string()));
    w.find<QRadioButton>(allLayers ? "exportAll" : "exportOne").setChecked(true);
    QSignalSpy done(&dialog, &ExportDialog::exported);
    QTest::mouseClick(&w.find<QPushButton>("exportButton"), Qt::LeftButton);
    REQUIRE(QTest::qWaitFor([&] { return done.size() == 1; }));
    return done.first().first().toStringList();
}

QByteArray contentOf(const QString& path) {
    QFile file(path);
    REQUIRE(file.open(QIODevice::ReadOnly));
    return file.readAll();
}

}  // namespace

TEST_CASE("ExportDialog: a PNG of the asked size", "[app][gui]") {
    WindowFixture w;
    const QStringList files = exportAs(w, "png", false);
    REQUIRE(files.size() == 1);
    CHECK(files.first().endsWith(QStringLiteral("synthetic-moe_rank-counts_layer-01.png")));
    const QImage image(files.first());
    CHECK(image.width() == static_cast<int>(std::lround(85 / 25.4 * 200)));
}

TEST_CASE("ExportDialog: one SVG per routed layer with its labels as text", "[app][gui]") {
    WindowFixture w;
    const QStringList files = exportAs(w, "svg", true);
    REQUIRE(files.size() == 3);
    for (const QString& file : files) {
        const QByteArray svg = contentOf(file);
        QXmlStreamReader xml(svg);
        while (!xml.atEnd()) {
            xml.readNext();
        }
        CHECK_FALSE(xml.hasError());
        CHECK(svg.contains("norm rank"));
    }
}

TEST_CASE("ExportDialog: CSV and PDF", "[app][gui]") {
    WindowFixture w;
    SECTION("csv") {
        CHECK(contentOf(exportAs(w, "csv", false).first()).contains("# "));
    }
    SECTION("pdf") {
        CHECK(contentOf(exportAs(w, "pdf", false).first()).startsWith("%PDF"));
    }
}

TEST_CASE("ExportDialog: an unwritable folder is said in the dialog", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    w.actions().exportFigure->trigger();
    w.find<QLineEdit>("exportFolder").setText(QStringLiteral("/proc/nowhere"));
    QTest::mouseClick(&w.find<QPushButton>("exportButton"), Qt::LeftButton);
    auto* bar = w.find<ExportDialog>("exportDialog").findChild<MessageBar*>();
    CHECK(bar->isVisible());
    CHECK(bar->kind() == MessageBar::Kind::Error);
}

TEST_CASE("MainWindow: copy puts picture, drawing and data on the clipboard", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    w.actions().copyFigure->trigger();
    const QMimeData* data = QApplication::clipboard()->mimeData();
    REQUIRE(data != nullptr);
    CHECK(data->hasImage());
    CHECK(data->hasFormat(QStringLiteral("image/svg+xml")));
    CHECK(data->hasFormat(QStringLiteral("text/csv")));
}

// Prints, as a benchmark does; run it by hand: test_app_export_dialog "[bench]".
TEST_CASE("MainWindow: time to open and to step", "[.][bench]") {
    tests::SyntheticRun run;
    run.experts = GENERATE(8, 64);
    run.topK = 2;
    run.layers = 32;
    run.tokens = 20000;
    QElapsedTimer timer;
    WindowFixture w(run);
    timer.start();
    w.window().openPaths({w.session().path()});
    REQUIRE(QTest::qWaitFor([&] { return w.figure() != nullptr; }));
    std::cout << run.experts << " experts, open: " << timer.elapsed() << " ms\n";
    for (int figure = 0; figure < 8; ++figure) {
        w.showFigure(figure);
        qint64 worst = 0;
        for (int layer = 2; layer < 31 && w.panel().info().perLayer; ++layer) {
            QTest::qWait(120);
            timer.restart();
            w.selection().setLayer(LayerId{layer});
            REQUIRE(QTest::qWaitFor(
                [&] { return w.figure() && w.figure()->provenance.layer == LayerId{layer}; }));
            w.panel().view().viewport()->repaint();
            worst = std::max(worst, timer.elapsed());
        }
        std::cout << "  " << w.panel().info().name << ", worst step: " << worst << " ms\n";
    }
}
