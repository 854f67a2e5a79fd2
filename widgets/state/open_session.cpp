// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/open_session.h"

#include "core/session/session.h"
#include "core/text/tokenizer.h"

#include <QFileInfo>

namespace moescope::widgets {

LoadedSession loadSession(const std::filesystem::path& path) {
    const std::shared_ptr<const session::Session> session = session::Session::open(path);
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

QString titleOf(const session::Head& head, const QString& path) {
    if (!head.title.empty()) {
        return QString::fromStdString(head.title);
    }
    const QString file = QFileInfo(path).completeBaseName();
    return file.isEmpty() ? QString::fromStdString(head.model.name) : file;
}

QString tokenText(const session::Head& head, std::uint64_t token) {
    const auto& bytes = head.corpus.tokenBytes;
    return token < bytes.size() ? QString::fromStdString(text::displayText(bytes[token]))
                                : QString();
}

}  // namespace moescope::widgets
