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
#include <QFile>
#include <QImage>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QRadioButton>
#include <QSignalSpy>
#include <QXmlStreamReader>

#include <cmath>

using namespace moescope;
using namespace moescope::widgets;
using moescope::tests::WindowFixture;

namespace {

/// Opens the dialog on rank counts, fills it and exports; the files written.
QStringList exportAs(WindowFixture& w, const char* format, bool allLayers) {
    w.openSession();
    w.showFigure("rank-counts");
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

TEST_CASE("ExportDialog: begins with what the last export had", "[app][gui]") {
    WindowFixture w;
    w.openSession();
    w.showFigure("rank-counts");
    w.actions().exportFigure->trigger();
    CHECK(w.find<QDoubleSpinBox>("exportWidth").value() == 174.0);
    w.find<QComboBox>("exportTheme").setCurrentIndex(1);
    w.find<ExportDialog>("exportDialog").close();
    QTest::qWait(1);
    exportAs(w, "svg", false);
    w.find<ExportDialog>("exportDialog").close();
    QTest::qWait(1);
    w.actions().exportFigure->trigger();
    CHECK(w.find<QDoubleSpinBox>("exportWidth").value() == 85.0);
    CHECK(w.find<QDoubleSpinBox>("exportDpi").value() == 200.0);
    CHECK(w.find<QComboBox>("exportFormat").currentData() == QStringLiteral("svg"));
    CHECK(w.find<QComboBox>("exportTheme").currentIndex() == 0);  // that one was only looked at
}

TEST_CASE("ExportDialog: what lies in the folder is not written over", "[app][gui]") {
    WindowFixture w;
    const QString first = exportAs(w, "csv", false).first();
    const QByteArray before = contentOf(first);
    w.find<ExportDialog>("exportDialog").close();
    QTest::qWait(1);
    const QString second = exportAs(w, "csv", false).first();
    CHECK(second.endsWith(QStringLiteral("_rank-counts_layer-01-2.csv")));
    CHECK(contentOf(first) == before);
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

TEST_CASE("ExportDialog: figures that grow with the text take a range of tokens", "[app][gui]") {
    tests::SyntheticRun run;
    run.tokens = 3000;
    WindowFixture w(run);
    w.openSession();
    w.showFigure("coloured-text");
    w.actions().exportFigure->trigger();
    auto& dialog = w.find<ExportDialog>("exportDialog");
    auto& tokens = w.find<QLineEdit>("exportTokens");
    CHECK(tokens.text().startsWith(QStringLiteral("0-")));  // the passage in view
    w.find<QLineEdit>("exportFolder")
        .setText(QString::fromStdString(w.session().folder().path().string()));
    auto& formats = w.find<QComboBox>("exportFormat");
    formats.setCurrentIndex(formats.findData(QStringLiteral("csv")));
    tokens.setText(QStringLiteral("many"));
    QTest::mouseClick(&w.find<QPushButton>("exportButton"), Qt::LeftButton);
    CHECK(dialog.findChild<MessageBar*>()->isVisible());
    tokens.setText(QStringLiteral("10-19"));
    QSignalSpy done(&dialog, &ExportDialog::exported);
    QTest::mouseClick(&w.find<QPushButton>("exportButton"), Qt::LeftButton);
    REQUIRE(QTest::qWaitFor([&] { return done.size() == 1; }));
    CHECK_FALSE(dialog.findChild<MessageBar*>()->isVisible());
}

TEST_CASE("ExportDialog: figures that sum tokens up are of those shown", "[app][gui]") {
    tests::SyntheticRun run;
    run.tokens = 3000;
    WindowFixture w(run);
    w.openSession();
    for (const char* figure :
         {"chosen-experts", "domain-share", "importance-map", "load-balance"}) {
        CAPTURE(figure);
        w.showFigure(figure);
        w.actions().exportFigure->trigger();
        auto& dialog = w.find<ExportDialog>("exportDialog");
        CHECK(w.find<QLineEdit>("exportTokens").text() == QStringLiteral("all"));
        dialog.close();
        QTest::qWait(1);
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
