// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/demo_command.h"

#include "app/install_paths.h"
#include "core/base/error.h"
#include "widgets/figures/export.h"
#include "widgets/state/open_session.h"

#include <QEventLoop>
#include <QFile>

#include <ostream>
#include <string>
#include <vector>

namespace moescope::app {
namespace {

using widgets::EngineProcess;
using widgets::InstallPaths;
using widgets::Problem;

/// Runs the engine and waits; its progress as lines.
void analyze(const InstallPaths& paths, const std::filesystem::path& session, std::ostream& err) {
    EngineProcess engine(paths.engine);
    QEventLoop loop;
    EngineProcess::End end = EngineProcess::End::Failed;
    Problem problem;
    std::string lastStage;
    QObject::connect(&engine, &EngineProcess::event, &loop, [&](const session::RunEvent& event) {
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
        throw Error(ErrorCode::Internal, problem.message.toStdString());
    }
}

void makeSession(const InstallPaths& paths, const std::filesystem::path& session,
                 std::ostream& err) {
    if (!paths.engine.isEmpty() && !paths.demoModel.isEmpty()) {
        analyze(paths, session, err);
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

/// One layer in the middle for figures of a layer, all layers together where that is one picture.
void exportFigures(const std::filesystem::path& session, const std::filesystem::path& folder,
                   std::ostream& out) {
    const widgets::LoadedSession loaded = widgets::loadSession(session);
    for (const figures::FigureInfo* info : loaded.builder->available()) {
        const std::vector<LayerId> layers = loaded.builder->layersOf(*info);
        figures::FigureRequest request;
        request.figure = std::string(info->name);
        request.range.kind = figures::ColourRange::Kind::AllLayers;
        if (info->perLayer && !info->hasTotal && !layers.empty()) {
            request.layer = layers[layers.size() / 2];
        }
        const figures::Figure figure = loaded.builder->build(request);
        for (const widgets::FileFormat format :
             {widgets::FileFormat::Svg, widgets::FileFormat::Png}) {
            const std::filesystem::path file =
                folder / (std::string(info->name) + "." + std::string(widgets::suffix(format)));
            widgets::exportFigure(figure, {.format = format}, file);
            out << file.string() << '\n';
        }
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
    exportFigures(session, folder, out);
}

}  // namespace moescope::app
