// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/open_session.h"

#include "core/base/error.h"
#include "core/session/session.h"
#include "core/text/tokenizer.h"

#include <QDir>
#include <QFileInfo>

#include <algorithm>

namespace moescope::widgets {
namespace {

/// The session, or while a run adds to it, the parts with what was there before.
std::shared_ptr<const session::Session> openNewest(const std::filesystem::path& path) {
    std::shared_ptr<const session::Session> session = session::Session::open(path);
    if (session->isPartial()) {
        return session;
    }
    try {
        auto parts = session::Session::open(path.string() + ".partial");
        if (parts->head().uuid == session->head().uuid) {
            return parts;
        }
    } catch (const Error&) {  // none, one of another run, or one that has just been put in place
    }
    return session;
}

}  // namespace

LoadedSession loadSession(const std::filesystem::path& path) {
    const std::shared_ptr<const session::Session> session = openNewest(path);
    LoadedSession loaded;
    loaded.source = figures::makeSource(session);
    loaded.builder = std::make_shared<const figures::FigureBuilder>(loaded.source);
    loaded.isPartial = session->isPartial();
    loaded.schemaVersion = QString::fromStdString(session->schemaVersion());
    for (const std::string& warning : session->warnings()) {
        loaded.warnings.append(QString::fromStdString(warning));
    }
    return loaded;
}

SelectionBounds boundsOf(const session::Head& head) {
    SelectionBounds bounds;
    for (const session::LayerSummary& layer : head.model.layers) {
        bounds.layerIsRouted.push_back(layer.isRouted());
        bounds.layerExperts.push_back(layer.experts);
    }
    bounds.tokens = head.corpus.tokenCount();
    return bounds;
}

std::shared_ptr<const figures::Figure> buildFigure(const QList<SessionSnapshot>& sessions,
                                                   const figures::FigureRequest& request,
                                                   const std::stop_token& stop) {
    figures::BuildAids aids{.stop = stop, .other = {}, .further = {}};
    for (qsizetype i = 1; i < sessions.size(); ++i) {
        const auto& builder = sessions.at(i)->content.builder;
        if (i == 1) {
            aids.other = builder;
        } else {
            aids.further.push_back(builder);
        }
    }
    return std::make_shared<const figures::Figure>(
        sessions.front()->content.builder->build(request, aids));
}

bool isDrawable(const OpenSession& session, const figures::FigureInfo& figure) {
    const auto available = session.content.builder->available();
    return std::any_of(available.begin(), available.end(),
                       [&](const figures::FigureInfo* f) { return f->name == figure.name; });
}

QString titleOf(const session::Head& head, const QString& path, const QStringList& taken) {
    const QString title = QString::fromStdString(head.title.empty() ? head.model.name : head.title);
    const QFileInfo info(path);
    const QString file = info.completeBaseName();
    const auto beside = [&title](const QString& place) -> QString {
        return title + QStringLiteral(" \u00B7 ") + place;
    };
    // A file that is named after the model says it all.
    const QString name = title.isEmpty() || file.startsWith(title) ? file : beside(file);
    const QStringList choices{name.isEmpty() ? title : name,
                              beside(info.absoluteDir().dirName() + QLatin1Char('/') + file),
                              beside(path)};
    for (const QString& choice : choices) {
        if (!taken.contains(choice)) {
            return choice;
        }
    }
    return choices.last();
}

QString tokenText(const session::Head& head, std::uint64_t token) {
    const auto& bytes = head.corpus.tokenBytes;
    return token < bytes.size() ? QString::fromStdString(text::displayText(bytes[token]))
                                : QString();
}

}  // namespace moescope::widgets
