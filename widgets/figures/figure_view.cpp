// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/figures/figure_view.h"

#include "widgets/figures/export.h"
#include "widgets/figures/figure_painter.h"

#include <QApplication>
#include <QClipboard>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMimeData>
#include <QMouseEvent>
#include <QPainter>
#include <QPixmap>
#include <QScopedValueRollback>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace moescope::widgets {
namespace {

constexpr int kWheelLines = 3;
constexpr double kZoomPerNotch = 1.25;

/// A long text, whose lines change with the size.
bool isText(const figures::Figure& figure) {
    return std::holds_alternative<figures::ColouredTextFigure>(figure.body) ||
           std::holds_alternative<figures::LossTextFigure>(figure.body);
}

bool scrolls(const figures::Figure& figure) {
    return isText(figure) || std::holds_alternative<figures::RoutingMapFigure>(figure.body) ||
           std::holds_alternative<figures::ColouredPassageFigure>(figure.body);
}

figures::Selection selectionOf(const figures::Hit& hit) {
    return {hit.token, {}, hit.expert, hit.row, hit.column, hit.layer};
}

}  // namespace

struct FigureView::Impl {
    std::shared_ptr<const figures::Figure> figure;
    std::unique_ptr<FigurePainter> painter;
    FigureMemory memory;
    figures::Selection selection;
    figures::Hit hover;
    QPixmap picture;  // the figure without selection and hover; null: to be painted again
    bool titleVisible = true;
    bool captionVisible = true;
    std::optional<std::uint64_t> dragFrom, dragTo;
    std::optional<QPointF> viewDrag;  // where the last step of dragging the view ended
    bool viewMoved = false;           // so that the release is no click

    [[nodiscard]] QPointF inBody(const QPointF& position) const {
        return painter ? position - painter->bodyRect().topLeft() : position;
    }
    [[nodiscard]] bool isDragged() const { return dragFrom && dragTo && *dragFrom != *dragTo; }
    void rebuild(const FigureView& view);
    void redraw(FigureView& view);
    bool dragView(FigureView& view, const QPointF& to);
    void paintPicture(const FigureView& view);
    void paintOutlines(QPainter& device, const figures::Selection& what, double width,
                       double fill) const;
    void paintTokens(QPainter& device, const figures::TokenSelection& tokens) const;
    void updateScrollBar(FigureView& view);
    bool barFollowsFigure = false;  // while the bar is set from the figure, not by the user
};

void FigureView::Impl::rebuild(const FigureView& view) {
    const std::int64_t position = painter ? painter->body().scrollPosition() : 0;
    picture = QPixmap();
    painter.reset();
    if (figure == nullptr) {
        return;
    }
    FigureStyle style = FigureStyle::forScreen(view.font(), Theme::fromPalette(view.palette()),
                                               view.devicePixelRatioF());
    style.withTitle = titleVisible;
    style.withCaption = captionVisible;
    painter = std::make_unique<FigurePainter>(figure, style, memory);
    painter->layout(QSizeF(view.viewport()->size()));
    if (!isText(*figure)) {  // which keeps its place by the token
        painter->body().scrollTo(position);
    }
}

void FigureView::Impl::redraw(FigureView& view) {
    picture = QPixmap();
    view.viewport()->update();
}

// True once the mouse has moved far enough to mean it, and the body has a view to move.
bool FigureView::Impl::dragView(FigureView& view, const QPointF& to) {
    const double moved = (to - *viewDrag).manhattanLength();
    if (!viewMoved && moved < QApplication::startDragDistance()) {
        return false;
    }
    if (!painter->body().drag(inBody(*viewDrag), inBody(to))) {
        return viewMoved;
    }
    viewMoved = true;
    viewDrag = to;
    hover = {};
    redraw(view);
    return true;
}

void FigureView::Impl::paintPicture(const FigureView& view) {
    const double scale = view.devicePixelRatioF();
    picture = QPixmap((QSizeF(view.viewport()->size()) * scale).toSize());
    picture.setDevicePixelRatio(scale);
    picture.fill(view.palette().color(QPalette::Base));
    if (painter) {
        QPainter device(&picture);
        device.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
        painter->paint(device);
    }
}

void FigureView::Impl::paintOutlines(QPainter& device, const figures::Selection& what, double width,
                                     double fill) const {
    const QColor accent = painter->style().theme.accent;
    QColor inside = accent;
    inside.setAlphaF(static_cast<float>(fill));
    device.setPen(QPen(accent, width));
    device.setBrush(fill > 0.0 ? QBrush(inside) : QBrush(Qt::NoBrush));
    for (const QRectF& rect : painter->body().outlines(what)) {
        device.drawRect(rect.adjusted(-0.5, -0.5, 0.5, 0.5));
    }
}

// Only what is in view has an outline; far ends of a long range cost nothing to skip.
void FigureView::Impl::paintTokens(QPainter& device, const figures::TokenSelection& tokens) const {
    const auto view = painter->body().tokensInView();
    if (!view) {
        return;
    }
    constexpr std::uint64_t kMostOutlined = 5000;
    std::uint64_t outlined = 0;
    auto range = std::ranges::upper_bound(tokens.ranges(), view->first, {},
                                          [](const figures::TokenRange& r) { return r.end(); });
    for (; range != tokens.ranges().end() && range->first < view->end(); ++range) {
        const std::uint64_t end = std::min(range->end(), view->end());
        for (std::uint64_t token = std::max(range->first, view->first);
             token < end && outlined < kMostOutlined; ++token, ++outlined) {
            figures::Selection one;
            one.token = token;
            paintOutlines(device, one, 1.0, 0.2);
        }
    }
}

// The bar's signals stay on: by them the scroll area shows and hides it.
void FigureView::Impl::updateScrollBar(FigureView& view) {
    QScrollBar* bar = view.verticalScrollBar();
    const FigureBody::Scroll scroll = painter ? painter->body().scroll() : FigureBody::Scroll{};
    constexpr std::int64_t kMost = std::numeric_limits<int>::max();
    const QScopedValueRollback followsFigure(barFollowsFigure, true);
    bar->setRange(0, static_cast<int>(std::min(scroll.steps, kMost)));
    bar->setPageStep(static_cast<int>(std::min(scroll.page, kMost)));
    bar->setSingleStep(kWheelLines);
    bar->setValue(painter ? static_cast<int>(painter->body().scrollPosition()) : 0);
}

FigureView::FigureView(QWidget* parent)
    : QAbstractScrollArea(parent), m_impl(std::make_unique<Impl>()) {
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    viewport()->setMouseTracking(true);
    viewport()->setAttribute(Qt::WA_OpaquePaintEvent);
    setMinimumSize(160, 80);
}

FigureView::~FigureView() = default;

void FigureView::setFigure(std::shared_ptr<const figures::Figure> figure) {
    const bool sameKind = figure != nullptr && m_impl->figure != nullptr &&
                          figure->body.index() == m_impl->figure->body.index();
    if (!sameKind) {
        m_impl->painter.reset();
        m_impl->memory = {};
        m_impl->dragFrom.reset();
        m_impl->dragTo.reset();
    }
    m_impl->figure = std::move(figure);
    m_impl->hover = {};
    const bool mayScroll =
        m_impl->figure != nullptr &&
        (scrolls(*m_impl->figure) ||
         std::holds_alternative<figures::ParametersFigure>(m_impl->figure->body) ||
         std::holds_alternative<figures::ExpertCardFigure>(m_impl->figure->body) ||
         std::holds_alternative<figures::TableFigure>(m_impl->figure->body));
    setVerticalScrollBarPolicy(mayScroll ? Qt::ScrollBarAsNeeded : Qt::ScrollBarAlwaysOff);
    setAccessibleName(m_impl->figure == nullptr ? tr("No figure")
                                                : QString::fromStdString(m_impl->figure->title));
    setAccessibleDescription(
        m_impl->figure == nullptr
            ? QString()
            : QString::fromStdString(m_impl->figure->howToRead + " " + m_impl->figure->caption));
    m_impl->rebuild(*this);
    m_impl->updateScrollBar(*this);
    viewport()->update();
}

const std::shared_ptr<const figures::Figure>& FigureView::figure() const {
    return m_impl->figure;
}

void FigureView::setTitleVisible(bool visible) {
    m_impl->titleVisible = visible;
    m_impl->rebuild(*this);
    m_impl->updateScrollBar(*this);
    viewport()->update();
}

void FigureView::setCaptionVisible(bool visible) {
    m_impl->captionVisible = visible;
    m_impl->rebuild(*this);
    m_impl->updateScrollBar(*this);
    viewport()->update();
}

void FigureView::setSelection(const figures::Selection& selection) {
    if (!(selection == m_impl->selection)) {
        if (!(selection.tokens == m_impl->selection.tokens)) {
            clearTokenRange();  // the owner has taken it, or something else
        }
        m_impl->selection = selection;
        viewport()->update();
    }
}

const figures::Selection& FigureView::selection() const {
    return m_impl->selection;
}

void FigureView::ensureTokenVisible(std::uint64_t token) {
    if (m_impl->painter) {
        const auto step = static_cast<int>(m_impl->painter->body().stepOf(token));
        m_impl->updateScrollBar(*this);  // looking for it may have told how long the text is
        verticalScrollBar()->setValue(step);
    }
}

std::optional<figures::TokenRange> FigureView::tokensInView() const {
    return m_impl->painter ? m_impl->painter->body().tokensInView() : std::nullopt;
}

void FigureView::clearTokenRange() {
    m_impl->dragFrom.reset();
    m_impl->dragTo.reset();
    viewport()->update();
}

figures::Hit FigureView::hitAt(const QPointF& viewportPosition) const {
    if (!m_impl->painter || !m_impl->painter->bodyRect().contains(viewportPosition)) {
        return {};
    }
    return m_impl->painter->body().hitAt(m_impl->inBody(viewportPosition));
}

void FigureView::copyToClipboard() const {
    if (m_impl->figure) {
        constexpr double kMmPerPixel = 25.4 / 96.0;
        const double width = std::clamp(viewport()->width() * kMmPerPixel, 60.0, 400.0);
        QApplication::clipboard()->setMimeData(clipboardData(*m_impl->figure, width));
    }
}

QSize FigureView::sizeHint() const {
    return {640, 420};
}

bool FigureView::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::ToolTip && m_impl->painter) {
        const auto* help = static_cast<QHelpEvent*>(event);
        QString card = m_impl->painter->body().cardAt(m_impl->inBody(help->pos()));
        if (card.isEmpty()) {
            card = QString::fromStdString(hitAt(help->pos()).readOut);
        }
        QToolTip::showText(help->globalPos(), card, viewport());
        return true;
    }
    if (event->type() == QEvent::Leave) {
        m_impl->hover = {};
        Q_EMIT hovered(QString());
        viewport()->update();
    }
    return QAbstractScrollArea::viewportEvent(event);
}

void FigureView::paintEvent(QPaintEvent* /*event*/) {
    const QSize pixels = (QSizeF(viewport()->size()) * devicePixelRatioF()).toSize();
    if (m_impl->picture.size() != pixels) {
        m_impl->paintPicture(*this);
    }
    QPainter device(viewport());
    device.drawPixmap(0, 0, m_impl->picture);
    if (!m_impl->painter) {
        return;
    }
    device.setRenderHint(QPainter::Antialiasing);
    device.setClipRect(m_impl->painter->bodyRect());
    device.translate(m_impl->painter->bodyRect().topLeft());
    if (m_impl->isDragged()) {
        const auto [first, last] = std::minmax(*m_impl->dragFrom, *m_impl->dragTo);
        m_impl->paintTokens(device, figures::TokenRange{first, last - first + 1});
    } else {
        m_impl->paintTokens(device, m_impl->selection.tokens);
    }
    m_impl->paintOutlines(device, m_impl->selection, 2.0, 0.2);
    m_impl->paintOutlines(device, selectionOf(m_impl->hover), 1.0, 0.0);
}

void FigureView::resizeEvent(QResizeEvent* event) {
    QAbstractScrollArea::resizeEvent(event);
    if (m_impl->painter) {
        m_impl->painter->layout(QSizeF(viewport()->size()));
    }
    m_impl->picture = QPixmap();
    m_impl->updateScrollBar(*this);
}

void FigureView::changeEvent(QEvent* event) {
    QAbstractScrollArea::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange ||
        event->type() == QEvent::StyleChange) {
        m_impl->rebuild(*this);
        m_impl->updateScrollBar(*this);
        viewport()->update();
    }
}

bool FigureView::keyForView(const QKeyEvent& event) {
    FigureBody& body = m_impl->painter->body();
    const QPointF middle = QRectF(QPointF(), m_impl->painter->bodyRect().size()).center();
    switch (event.key()) {
        case Qt::Key_Plus:
        case Qt::Key_Equal:
            return body.zoomAt(middle, kZoomPerNotch);
        case Qt::Key_Minus:
            return body.zoomAt(middle, 1.0 / kZoomPerNotch);
        case Qt::Key_Home:
            return body.resetView();
        case Qt::Key_Left:
            return event.modifiers() == Qt::ShiftModifier && body.moveView(-1, 0);
        case Qt::Key_Right:
            return event.modifiers() == Qt::ShiftModifier && body.moveView(1, 0);
        case Qt::Key_Up:
            return event.modifiers() == Qt::ShiftModifier && body.moveView(0, -1);
        case Qt::Key_Down:
            return event.modifiers() == Qt::ShiftModifier && body.moveView(0, 1);
        default:
            return false;
    }
}

// What scrolls goes by pages, and to its ends.
bool FigureView::pageKey(const QKeyEvent& event) {
    QScrollBar* bar = verticalScrollBar();
    if (bar->maximum() == 0 || event.modifiers() != Qt::NoModifier) {
        return false;
    }
    switch (event.key()) {
        case Qt::Key_PageUp:
            bar->triggerAction(QAbstractSlider::SliderPageStepSub);
            return true;
        case Qt::Key_PageDown:
            bar->triggerAction(QAbstractSlider::SliderPageStepAdd);
            return true;
        case Qt::Key_Home:
            bar->setValue(0);
            return true;
        case Qt::Key_End:
            bar->setValue(bar->maximum());
            return true;
        default:
            return false;
    }
}

void FigureView::keyPressEvent(QKeyEvent* event) {
    if (m_impl->painter && keyForView(*event)) {
        m_impl->hover = {};
        m_impl->redraw(*this);
        event->accept();
        return;
    }
    if (pageKey(*event)) {
        event->accept();
        return;
    }
    int dx = 0;
    int dy = 0;
    switch (event->key()) {
        case Qt::Key_Left:
            dx = -1;
            break;
        case Qt::Key_Right:
            dx = 1;
            break;
        case Qt::Key_Up:
            dy = -1;
            break;
        case Qt::Key_Down:
            dy = 1;
            break;
        default:
            break;
    }
    // Plain arrows step tokens; cells of a map take Shift, since up and down alone step the layer.
    const bool overTokens = m_impl->figure != nullptr && scrolls(*m_impl->figure);
    const bool wanted =
        (dx != 0 || dy != 0) && (overTokens ? dy == 0 : event->modifiers() == Qt::ShiftModifier);
    const auto hit = wanted && m_impl->painter
                         ? m_impl->painter->body().step(m_impl->selection, dx, dy)
                         : std::nullopt;
    if (!hit) {
        event->ignore();
        return;
    }
    m_impl->selection.token = hit->token ? hit->token : m_impl->selection.token;
    if (hit->row && hit->column) {
        m_impl->selection.pairRow = hit->row;
        m_impl->selection.pairColumn = hit->column;
        Q_EMIT pairClicked(*hit->row, *hit->column);
    } else if (hit->token) {
        ensureTokenVisible(*hit->token);
        Q_EMIT tokenClicked(*hit->token);
    }
    viewport()->update();
    Q_EMIT hovered(QString::fromStdString(hit->readOut));
    event->accept();
}

void FigureView::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton || !m_impl->painter) {
        event->ignore();
        return;
    }
    if (m_impl->painter->body().toggleAt(m_impl->inBody(event->position()))) {
        m_impl->picture = QPixmap();
        viewport()->update();
        return;
    }
    const figures::Hit hit = hitAt(event->position());
    const bool overTokens = m_impl->figure != nullptr && scrolls(*m_impl->figure);
    m_impl->dragFrom = m_impl->dragTo = overTokens ? hit.token : std::nullopt;
    m_impl->viewDrag = event->position();
    m_impl->viewMoved = false;
}

void FigureView::mouseDoubleClickEvent(QMouseEvent* event) {
    if (m_impl->painter && m_impl->painter->body().resetView()) {
        m_impl->redraw(*this);
    } else if (const auto expert = hitAt(event->position()).expert) {
        Q_EMIT expertActivated(*expert);
    }
    event->accept();
}

void FigureView::mouseMoveEvent(QMouseEvent* event) {
    if (event->buttons().testFlag(Qt::LeftButton) && m_impl->viewDrag && m_impl->painter &&
        m_impl->dragView(*this, event->position())) {
        return;
    }
    const figures::Hit hit = hitAt(event->position());
    if (event->buttons().testFlag(Qt::LeftButton) && m_impl->dragFrom && hit.token) {
        m_impl->dragTo = hit.token;
        viewport()->update();
    }
    if (!(hit == m_impl->hover)) {
        m_impl->hover = hit;
        Q_EMIT hovered(QString::fromStdString(hit.readOut));
        viewport()->update();
    }
}

void FigureView::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) {
        event->ignore();
        return;
    }
    if (m_impl->isDragged()) {
        const auto [first, last] = std::minmax(*m_impl->dragFrom, *m_impl->dragTo);
        Q_EMIT tokenRangeSelected(first, last - first + 1);
        return;
    }
    m_impl->dragFrom.reset();
    m_impl->dragTo.reset();
    m_impl->viewDrag.reset();
    if (std::exchange(m_impl->viewMoved, false)) {
        return;
    }
    const figures::Hit hit = hitAt(event->position());
    if (hit.row && hit.column) {
        Q_EMIT pairClicked(*hit.row, *hit.column);
    }
    const bool ofOneToken = m_impl->figure != nullptr &&
                            std::holds_alternative<figures::PairedBarsFigure>(m_impl->figure->body);
    // The last one is what the inspector shows: of a table's row about a token that token.
    const bool ofRow = m_impl->figure != nullptr &&
                       std::holds_alternative<figures::TableFigure>(m_impl->figure->body);
    if (hit.token && !ofOneToken && !ofRow) {
        Q_EMIT tokenClicked(*hit.token);
    }
    const bool leadsToLayer =
        hit.layer && m_impl->figure &&
        (!m_impl->figure->provenance.layer || *m_impl->figure->provenance.layer != *hit.layer);
    if (leadsToLayer) {
        Q_EMIT layerClicked(hit.layer->value);
    }
    if (hit.expert) {
        Q_EMIT expertClicked(*hit.expert);
    }
    if (hit.token && ofRow) {
        Q_EMIT tokenClicked(*hit.token);
    }
}

void FigureView::wheelEvent(QWheelEvent* event) {
    if (m_impl->painter && event->angleDelta().y() != 0 &&
        m_impl->painter->body().zoomAt(m_impl->inBody(event->position()),
                                       std::pow(kZoomPerNotch, event->angleDelta().y() / 120.0))) {
        m_impl->hover = {};
        m_impl->redraw(*this);
        event->accept();
        return;
    }
    if (!event->modifiers().testFlag(Qt::ControlModifier) || !m_impl->painter) {
        QAbstractScrollArea::wheelEvent(event);
        return;
    }
    const int direction = event->angleDelta().y() > 0 ? 1 : -1;
    const figures::Hit anchor = hitAt(event->position());
    if (m_impl->painter->body().zoom(direction)) {
        m_impl->memory.zoomLevel = m_impl->painter->body().zoomLevel();
        m_impl->rebuild(*this);
        m_impl->updateScrollBar(*this);
        if (anchor.token) {
            ensureTokenVisible(*anchor.token);
        }
        viewport()->update();
    }
    event->accept();
}

void FigureView::scrollContentsBy(int /*dx*/, int /*dy*/) {
    if (m_impl->painter && !m_impl->barFollowsFigure) {
        m_impl->painter->body().scrollTo(verticalScrollBar()->value());
        m_impl->updateScrollBar(*this);  // lengths that were estimated are known now
        m_impl->hover = {};
        m_impl->picture = QPixmap();
        viewport()->update();
    }
}

}  // namespace moescope::widgets
