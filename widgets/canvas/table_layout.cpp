// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/table_layout.h"

#include "widgets/support/format.h"

#include <QFontInfo>
#include <QFontMetricsF>
#include <QStringList>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace moescope::widgets {
namespace {

using figures::TableColumn;

constexpr double kWideGap = 16.0;
constexpr double kPadding = 5.0;         // of a row
constexpr double kNotePadding = 4.0;     // below a note
constexpr double kSectionPadding = 9.0;  // of a section's heading
constexpr int kDigits = 3;               // significant, of the largest magnitude
constexpr int kDigitsOfSpread = 2;       // of what the values differ in
constexpr int kMostDigits = 5;
constexpr double kLeastFixed = 1e-3;  // below it, as the largest, an exponent is shorter
constexpr int kSmallestFont = 8;      // 6 pt in print
constexpr double kLongestWord = 20;   // characters
constexpr int kLongestName = 24;      // characters; longer ones are lists
constexpr double kMostLines = 3;      // of a cell, before the font gets smaller
constexpr QChar kBlankMark(0xB7);     // a blank of a token
constexpr QChar kMayBreak(0x200B);    // has no width

double sum(const std::vector<double>& widths) {
    return std::accumulate(widths.begin(), widths.end(), 0.0);
}

double gapsIn(const std::vector<double>& widths) {
    return static_cast<double>(std::max<std::size_t>(widths.size(), 1) - 1);
}

double widestWord(const QFontMetricsF& metrics, const QString& text) {
    double width = 0.0;
    for (const QString& line : text.split(QLatin1Char(' '))) {
        for (const QString& word : line.split(kMayBreak)) {
            width = std::max(width, metrics.horizontalAdvance(word));
        }
    }
    return width;
}

}  // namespace

Qt::TextFlag wrapFlag(const QFont& font, const QString& text, double width) {
    return widestWord(QFontMetricsF(font), text) > width ? Qt::TextWrapAnywhere : Qt::TextWordWrap;
}

namespace {

double heightOf(const QFont& font, const QString& text, double width) {
    return QFontMetricsF(font)
        .boundingRect(QRectF(0, 0, width, 1e6), Qt::AlignLeft | wrapFlag(font, text, width), text)
        .height();
}

/// Without gaps: as wide as the texts are, and as narrow as their columns may be.
struct Room {
    std::vector<double> wanted, least;
    double names = 0.0;  ///< the widest short cell of the first column, which says what a row is
};

Room roomIn(const TableTexts& texts, const TableLayout& layout) {
    const QFontMetricsF metrics(layout.font);
    Room room;
    for (const std::size_t column : layout.columns) {
        const QString heading = texts.heading(column);
        double wanted = metrics.horizontalAdvance(heading);
        double least = widestWord(metrics, heading);
        const bool wraps = texts.table().columns[column].wraps;
        for (std::size_t row = 0; row < texts.table().rows; ++row) {
            const QString cell = texts.drawnCell(row, column);
            const double whole = metrics.horizontalAdvance(cell);
            wanted = std::max(wanted, whole);
            if (column == layout.columns.front() && cell.size() <= kLongestName) {
                room.names = std::max(room.names, std::ceil(whole));
            }
            // A word that is longer breaks anywhere.
            least = std::max(least, wraps ? std::min(widestWord(metrics, cell),
                                                     kLongestWord * metrics.averageCharWidth())
                                          : whole);
        }
        room.wanted.push_back(std::ceil(wanted));
        room.least.push_back(std::ceil(std::max(least, wanted / kMostLines)));
    }
    return room;
}

/// The column with the longest lines gives the others what they nearly have, as long as it keeps
/// most of its own.
void roundUp(const Room& room, std::vector<double>& widths) {
    constexpr double kNearly = 0.25;
    constexpr double kMost = 0.6;
    const auto longest = static_cast<std::size_t>(
        std::max_element(room.wanted.begin(), room.wanted.end()) - room.wanted.begin());
    for (std::size_t i = 0; i < widths.size(); ++i) {
        const double missing = room.wanted[i] - widths[i];
        if (i != longest && missing <= kNearly * room.wanted[i] &&
            widths[longest] - missing >= kMost * room.wanted[longest]) {
            widths[i] += missing;
            widths[longest] -= missing;
        }
    }
}

/// What is left over after the least goes to the columns that could use it, then to the gaps.
void share(const Room& room, double width, TableLayout& layout) {
    layout.widths = room.least;
    const double gaps = gapsIn(room.least);
    double spare = std::max(width - sum(room.least) - kTableGap * gaps, 0.0);
    if (!layout.widths.empty()) {  // names of rows are read before numbers are
        const double more = std::clamp(room.names - room.least.front(), 0.0, spare);
        layout.widths.front() += more;
        spare -= more;
    }
    const double lacking = sum(room.wanted) - sum(layout.widths);
    const double part = lacking > 0.0 ? std::min(spare / lacking, 1.0) : 0.0;
    for (std::size_t i = 0; i < layout.widths.size(); ++i) {
        layout.widths[i] += part * (room.wanted[i] - layout.widths[i]);
    }
    if (part < 1.0 && !layout.widths.empty()) {
        roundUp(room, layout.widths);
    }
    spare -= part * lacking;
    const double gap = std::clamp(kTableGap + spare / std::max(gaps, 1.0), kTableGap, kWideGap);
    for (std::size_t i = 1; i < layout.widths.size(); ++i) {
        layout.widths[i] += gap;
    }
}

void measureRows(const TableTexts& texts, double width, TableLayout& layout) {
    const figures::TableFigure& table = texts.table();
    layout.headingHeight = layout.lineHeight;
    for (std::size_t i = 0; i < layout.columns.size(); ++i) {
        const double room = layout.widths[i] - (i == 0 ? 0.0 : kTableGap);
        const QString heading = texts.heading(layout.columns[i]);
        layout.headingHeight =
            std::max(layout.headingHeight,
                     std::ceil(heightOf(layout.font, heading, room) + 2.0 * layout.textTop));
    }
    if (!layout.leftOut.isEmpty()) {
        layout.leftOutHeight =
            std::ceil(heightOf(layout.noteFont, layout.leftOut, width) + kNotePadding);
    }
    for (const figures::TableSection& section : table.sections) {
        layout.sectionHeights.push_back(
            std::ceil(heightOf(layout.sectionFont, QString::fromStdString(section.title), width) +
                      kSectionPadding));
    }
    layout.noteIndent = layout.widths.size() > 1 ? layout.widths.front() + kTableGap : 0.0;
    layout.noteWidth = std::max(width - layout.noteIndent, 40.0);
    for (std::size_t row = 0; row < table.rows; ++row) {
        double height = layout.lineHeight;
        for (std::size_t i = 0; i < layout.columns.size(); ++i) {
            if (table.columns[layout.columns[i]].wraps) {
                const double room = layout.widths[i] - (i == 0 ? 0.0 : kTableGap);
                const QString cell = texts.drawnCell(row, layout.columns[i]);
                height = std::max(height, heightOf(layout.font, cell, room) + 2.0 * layout.textTop);
            }
        }
        layout.cellHeights.push_back(std::ceil(height));
        const QString note = texts.note(row);
        layout.noteHeights.push_back(
            note.isEmpty()
                ? 0.0
                : std::ceil(heightOf(layout.noteFont, note, layout.noteWidth) + kNotePadding));
    }
}

/// No row has a text there.
bool isEmpty(const TableColumn& column) {
    return column.kind == TableColumn::Kind::Text &&
           std::all_of(column.texts.begin(), column.texts.end(),
                       [](const std::string& text) { return text.empty(); });
}

/// Each rank of columns once, the least first.
std::vector<int> ranksOf(const TableTexts& texts, const TableLayout& layout) {
    std::vector<int> ranks;
    ranks.reserve(layout.columns.size());
    for (const std::size_t column : layout.columns) {
        ranks.push_back(texts.table().columns[column].keep);
    }
    std::sort(ranks.begin(), ranks.end());
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    return ranks;
}

/// Leaves out columns until the others fit: what is empty, then those that are worth least; among
/// equals the last ones first: texts that take much of the width, then numbers, then all texts. The
/// first column, which says what a row is, stays unless it is worth less than most. Columns are
/// measured once: each has its room whatever the others are.
template <typename Fits>
Room leaveOut(const TableTexts& texts, double width, Fits fits, TableLayout& layout) {
    constexpr double kMuch = 0.3;
    QStringList names;
    Room room = roomIn(texts, layout);
    const auto leaveOutIf = [&](auto goes) {
        for (std::size_t i = layout.columns.size(); i-- > 0 && !fits(room);) {
            const TableColumn& column = texts.table().columns[layout.columns[i]];
            const bool isNeeded = layout.columns.size() == 1 || (i == 0 && column.keep >= 0);
            if (!isNeeded && goes(column, room.least[i])) {
                names.prepend(QString::fromStdString(column.name));
                const auto at = static_cast<std::ptrdiff_t>(i);
                layout.columns.erase(layout.columns.begin() + at);
                room.wanted.erase(room.wanted.begin() + at);
                room.least.erase(room.least.begin() + at);
            }
        }
    };
    leaveOutIf([](const TableColumn& column, double) { return isEmpty(column); });
    enum class Turn { WideTexts, Numbers, All };
    for (const int rank : ranksOf(texts, layout)) {
        for (const Turn turn : {Turn::WideTexts, Turn::Numbers, Turn::All}) {
            leaveOutIf([&](const TableColumn& column, double least) {
                const bool isText = column.kind == TableColumn::Kind::Text;
                return column.keep == rank &&
                       (turn == Turn::WideTexts ? isText && least > kMuch * width
                                                : turn == Turn::All || !isText);
            });
        }
    }
    if (!names.isEmpty()) {
        layout.leftOut = QStringLiteral("No room at this width: %1 (in the CSV, and drawn wider).")
                             .arg(names.join(QStringLiteral(", ")));
    }
    return room;
}

}  // namespace

namespace {

int magnitudeOf(double value) {
    return static_cast<int>(std::floor(std::log10(value)));
}

/// What tells most rows apart: the spread of the middle half, since a few far values would hide it;
/// of all where these are equal. 0 where all are.
double spreadOf(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t last = values.size() - 1;
    const double middle = values[(3 * last + 3) / 4] - values[last / 4];
    return middle > 0.0 ? middle : values.back() - values.front();
}

/// Digits that are 0 everywhere say nothing.
int withoutZeros(const std::vector<double>& values, int decimals) {
    const double scale = std::pow(10.0, decimals);
    const auto isRoundAt = [&](int places) {
        const double coarse = std::pow(10.0, decimals - places);
        return std::all_of(values.begin(), values.end(), [&](double value) {
            return std::fmod(std::round(value * scale), coarse) == 0.0;
        });
    };
    int places = decimals;
    while (places > 0 && isRoundAt(places - 1)) {
        --places;
    }
    return places;
}

}  // namespace

NumberFormat numberFormatOf(const std::vector<double>& values, int leastDecimals) {
    std::vector<double> finite;
    finite.reserve(values.size());
    double most = 0.0;
    for (const double value : values) {
        if (std::isfinite(value)) {
            finite.push_back(value);
            most = std::max(most, std::abs(value));
        }
    }
    if (most <= 0.0) {
        return {};
    }
    if (most < kLeastFixed) {
        return {kDigits - 1, true};
    }
    int decimals = kDigits - 1 - magnitudeOf(most);
    if (const double spread = spreadOf(finite); spread > 0.0) {
        decimals = std::max(decimals, kDigitsOfSpread - 1 - magnitudeOf(spread));
    }
    decimals = std::clamp(std::min(decimals, kMostDigits - 1 - magnitudeOf(most)), 0, 9);
    decimals = std::max(withoutZeros(finite, decimals), leastDecimals);
    return {decimals, false, std::pow(10.0, -decimals)};
}

TableTexts::TableTexts(const figures::TableFigure& table, const ChartMemory& memory)
    : m_table(table), m_memory(memory) {
    m_formats.reserve(table.columns.size());
    for (const TableColumn& column : table.columns) {
        m_formats.push_back(column.kind == TableColumn::Kind::Number
                                ? numberFormatOf(column.numbers, column.leastDecimals)
                                : NumberFormat{});
    }
}

QString TableTexts::cell(std::size_t row, std::size_t column) const {
    const TableColumn& from = m_table.columns[column];
    if (row < from.texts.size() &&
        (from.kind == TableColumn::Kind::Text || !from.texts[row].empty())) {
        return QString::fromStdString(from.texts[row]);
    }
    switch (from.kind) {
        case TableColumn::Kind::Text:
            return {};
        case TableColumn::Kind::Count:
            return std::isfinite(from.numbers[row])
                       ? formatCount(static_cast<std::uint64_t>(from.numbers[row]))
                       : QString();
        case TableColumn::Kind::Number:
            break;
    }
    // Not available in a summary means that it has none.
    const double value = from.numbers[row];
    if (!std::isfinite(value)) {
        return row >= sortedRows() ? QString() : formatValue(value);
    }
    if (!m_table.notes.empty()) {  // rows are different quantities: what they share is no decimals
        return formatValue(value, kDigits);
    }
    const NumberFormat& format = m_formats[column];
    QString text = QString::number(value, format.isScientific ? 'e' : 'f', format.decimals);
    // Not nothing, but next to it; below 0 the sign says so.
    if (value > 0.0 && text.toDouble() == 0.0) {
        text = QStringLiteral("<") + QString::number(format.least, 'f', format.decimals);
    }
    return text.replace(QLatin1Char('-'), QChar(0x2212));
}

QString TableTexts::drawnCell(std::size_t row, std::size_t column) const {
    QString text = cell(row, column);
    if (m_table.columns[column].wraps) {
        text.replace(kBlankMark, QString(kMayBreak) + kBlankMark);
    }
    return text;
}

QString TableTexts::heading(std::size_t column) const {
    QString text = QString::fromStdString(m_table.columns[column].name);
    if (m_memory.sortColumn == column) {
        text += m_memory.isDescending ? QStringLiteral(" \u25BE") : QStringLiteral(" \u25B4");
    }
    return text;
}

QString TableTexts::note(std::size_t row) const {
    return row < m_table.notes.size() ? QString::fromStdString(m_table.notes[row]) : QString();
}

double TableLayout::width() const {
    return sum(widths);
}

TableLayout layOutTable(const TableTexts& texts, const FigureStyle& style, double width) {
    TableLayout layout;
    layout.font = style.font;
    for (std::size_t column = 0; column < texts.table().columns.size(); ++column) {
        if (!texts.table().columns[column].isDataOnly) {
            layout.columns.push_back(column);
        }
    }
    const auto fits = [&](const Room& room) {
        return sum(room.least) + kTableGap * gapsIn(room.least) <= width;
    };
    Room room = roomIn(texts, layout);
    const int smallest = std::min(kSmallestFont, style.fontPx);
    for (int size = style.fontPx; size > smallest && !fits(room);) {
        layout.font.setPixelSize(--size);
        room = roomIn(texts, layout);
    }
    if (!fits(room)) {
        room = leaveOut(texts, width, fits, layout);
    }
    share(room, width, layout);
    layout.lineHeight = style.lineHeight() + kPadding;
    layout.textTop = (layout.lineHeight - QFontMetricsF(layout.font).height()) / 2.0;
    layout.sectionFont = layout.font;
    layout.sectionFont.setBold(true);
    layout.noteFont = layout.font;
    layout.noteFont.setPixelSize(std::max(QFontInfo(layout.font).pixelSize() - 1, smallest));
    measureRows(texts, width, layout);
    return layout;
}

}  // namespace moescope::widgets
