// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/figure_body.h"

namespace moescope::widgets {

std::vector<QRectF> FigureBody::outlines(const figures::Selection& /*selection*/) const {
    return {};
}

std::optional<figures::Hit> FigureBody::step(const figures::Selection& /*from*/, int /*dx*/,
                                             int /*dy*/) const {
    return std::nullopt;
}

bool FigureBody::toggleAt(const QPointF& /*position*/) {
    return false;
}

QString FigureBody::cardAt(const QPointF& /*position*/) const {
    return {};
}

FigureBody::Scroll FigureBody::scroll() const {
    return {};
}

void FigureBody::scrollTo(std::int64_t /*step*/) {}

std::int64_t FigureBody::scrollPosition() const {
    return 0;
}

std::optional<figures::TokenRange> FigureBody::tokensInView() const {
    return std::nullopt;
}

std::int64_t FigureBody::stepOf(std::uint64_t /*token*/) const {
    return scrollPosition();
}

bool FigureBody::zoom(int /*direction*/) {
    return false;
}

int FigureBody::zoomLevel() const {
    return 0;
}

bool FigureBody::zoomAt(const QPointF& /*position*/, double /*factor*/) {
    return false;
}

bool FigureBody::drag(const QPointF& /*from*/, const QPointF& /*to*/) {
    return false;
}

bool FigureBody::moveView(int /*dx*/, int /*dy*/) {
    return false;
}

bool FigureBody::resetView() {
    return false;
}

}  // namespace moescope::widgets
