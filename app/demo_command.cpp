// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/demo_command.h"

#include "app/export/export_figures.h"
#include "app/install_paths.h"
#include "core/base/error.h"
#include "core/session/session.h"
#include "widgets/state/open_session.h"

#include <QEventLoop>
#include <QFile>
#include <QFileInfo>

#include <ostream>
#include <string>
#include <vector>

namespace moescope::app {
namespace {

using widgets::EngineProcess;
using widgets::InstallPaths;
using widgets::Problem;

/// The code behind the engine's word for it, so that its exit code becomes ours.
ErrorCode codeNamed(const QString& word) {
    for (int code = 0; code < static_cast<int>(ErrorCode::Internal); ++code) {
        if (name(static_cast<ErrorCode>(code)) == word.toStdString()) {
            return static_cast<ErrorCode>(code);
        }
    }
    return ErrorCode::Internal;
}

/// Runs the engine and waits; its progress as lines.
void analyze(const InstallPaths& paths, const std::filesystem::path& session, std::ostream& err) {
    EngineProcess engine(paths.engine);
    QEventLoop loop;
    EngineProcess::End end = EngineProcess::End::Failed;
    Problem problem;
    std::string lastStage;
    QObject::connect(&engine, &EngineProcess::eventReceived, &loop,
                     [&](const session::RunEvent& event) {
                         const bool progress = event.kind == session::RunEvent::Kind::Progress;
                         if (progress && event.stage != lastStage) {
                             lastStage = event.stage;
                             err << lastStage << '\n';
                         }
                     });
    QObject::connect(&engine, &EngineProcess::ended, &loop,
                     [&](EngineProcess::End how, const Problem& why) {
                         end = how;
                         problem = why;
                         loop.quit();
                     });
    engine.start(widgets::analyzeArguments(
        demoRequest(paths, QString::fromStdString(session.string())), false));
    loop.exec();
    if (end == EngineProcess::End::Cancelled) {
        throw Error(ErrorCode::Cancelled, "The demo was stopped; what was finished is kept.");
    }
    if (end == EngineProcess::End::Failed) {
        throw Error(codeNamed(problem.code), problem.message.toStdString());
    }
}

/// True for what an earlier version's demo left there, never for somebody's own session.
bool isOldDemo(const InstallPaths& paths, const std::filesystem::path& session) {
    try {
        const std::string model = QFileInfo(paths.demoModel).fileName().toStdString();
        return session::Session::open(session)->head().model.name == model;
    } catch (const Error&) {
        return false;
    }
}

void analyzeAnew(const InstallPaths& paths, const std::filesystem::path& session,
                 std::ostream& err) {
    try {
        analyze(paths, session, err);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::BadSession || !isOldDemo(paths, session)) {
            throw;
        }
        err << session.string() << " is of an earlier demo; it is made anew.\n";
        std::filesystem::remove(session);
        std::filesystem::remove_all(session.string() + ".partial");
        analyze(paths, session, err);
    }
}

void makeSession(const InstallPaths& paths, const std::filesystem::path& session,
                 std::ostream& err) {
    if (!paths.engine.isEmpty() && !paths.demoModel.isEmpty()) {
        analyzeAnew(paths, session, err);
        return;
    }
    if (paths.demoSession.isEmpty()) {
        throw Error(ErrorCode::FileNotFound,
                    "The demo is not installed: neither its model nor its session was found in "
                    "share/moescope/demo beside the program.");
    }
    const QString target = QString::fromStdString(session.string());
    if (!QFile::exists(target) && !QFile::copy(paths.demoSession, target)) {
        throw Error(ErrorCode::FileUnwritable, session.string() + " cannot be written.");
    }
}

/// Every figure of the layer in the middle, for screen and for print.
void exportFigures(const std::filesystem::path& session, const std::filesystem::path& folder,
                   std::ostream& out, std::ostream& err) {
    const widgets::LoadedSession loaded = widgets::loadSession(session);
    cli::ExportPlan plan;
    plan.session = session;
    plan.allFigures = true;
    plan.figures = loaded.builder->available();
    plan.allLayers = false;
    const auto& layers = loaded.builder->head().model.layers;
    for (std::size_t layer = layers.size() / 2; layer < layers.size() && plan.layers.empty();
         ++layer) {
        if (layers[layer].isRouted()) {
            plan.layers = {LayerId{static_cast<int>(layer)}};
        }
    }
    plan.range.kind = figures::ColourRange::Kind::AllLayers;
    plan.folder = folder;
    const cli::ExportReport report{
        .written = [&out](const std::filesystem::path& file) { out << file.string() << '\n'; },
        .note = [&err](const std::string& text) { err << text << '\n'; }};
    for (const widgets::FileFormat format : {widgets::FileFormat::Svg, widgets::FileFormat::Png}) {
        plan.file.format = format;
        cli::exportFigures(*loaded.builder, plan, report);
    }
}

}  // namespace

void runDemoHeadless(const InstallPaths& paths, const std::filesystem::path& folder,
                     std::ostream& out, std::ostream& err) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
        throw Error(ErrorCode::FileUnwritable,
                    folder.string() + " cannot be made: " + error.message() + ".");
    }
    const std::filesystem::path session = folder / "demo.h5";
    makeSession(paths, session, err);
    out << session.string() << '\n';
    exportFigures(session, folder, out, err);
}

}  // namespace moescope::app
