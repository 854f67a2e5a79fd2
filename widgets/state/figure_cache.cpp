// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/figure_cache.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

namespace moescope::widgets {
namespace {

constexpr std::size_t kOverhead = 4096;  ///< titles, captions, labels

std::size_t bytesOf(const figures::Routing* routing) {
    return routing == nullptr ? 0 : routing->bytes();
}

/// What a text takes beside itself: short ones nothing.
std::size_t bytesOf(const std::string& text) {
    static const std::size_t within = std::string().capacity();
    return text.capacity() > within ? text.capacity() + 1 : 0;
}

std::size_t bytesOf(const std::vector<std::string>& texts) {
    std::size_t bytes = texts.size() * sizeof(std::string);
    for (const std::string& text : texts) {
        bytes += bytesOf(text);
    }
    return bytes;
}

/// The arrays of a body; small bodies count as overhead only.
struct BodySize {
    std::size_t operator()(const figures::HeatMapFigure& body) const {
        std::size_t cells = 0;
        for (const figures::HeatMapPanel& panel : body.panels) {
            cells += panel.matrix.values.size();
        }
        return cells * sizeof(float);
    }
    std::size_t operator()(const figures::RoutingMapFigure& body) const {
        return bytesOf(body.routing.get()) + bytesOf(body.beside.get());
    }
    std::size_t operator()(const figures::ColouredTextFigure& body) const {
        return bytesOf(body.routing.get());
    }
    std::size_t operator()(const figures::LossTextFigure& body) const {
        return (body.loss.size() + body.intactLoss.size()) * sizeof(float) +
               body.isPredicted.size() / 8 + body.worst.size() * sizeof(std::uint64_t);
    }
    std::size_t operator()(const figures::ColouredPassageFigure& body) const {
        std::size_t bytes = 0;
        for (const auto& layer : body.layers) {
            bytes += bytesOf(layer.get());
        }
        return bytes;
    }
    std::size_t operator()(const figures::ScatterFigure& body) const {
        std::size_t bytes = 0;
        for (const figures::ScatterPanel& panel : body.panels) {
            bytes += (panel.x.size() + panel.y.size() + panel.z.size()) * sizeof(float) +
                     panel.group.size() * sizeof(std::uint16_t) +
                     panel.member.size() * sizeof(std::uint32_t);
        }
        return bytes;
    }
    std::size_t operator()(const figures::NeuronMapFigure& body) const {
        std::size_t cells = 0;
        for (const figures::NeuronMapPanel& panel : body.panels) {
            cells += panel.values.values.size();
        }
        return cells * sizeof(float);
    }
    std::size_t operator()(const figures::TableFigure& body) const {
        std::size_t bytes = body.layers.size() * sizeof(LayerId) +
                            body.experts.size() * sizeof(int) +
                            body.tokens.size() * sizeof(std::uint64_t) + bytesOf(body.notes);
        for (const figures::TableColumn& column : body.columns) {
            bytes += bytesOf(column.texts) + column.numbers.size() * sizeof(double);
        }
        return bytes;
    }
    std::size_t operator()(const figures::ExpertCardFigure& body) const {
        std::size_t bytes = 0;
        for (const figures::CardSection& section : body.sections) {
            bytes += sizeof section;
            for (const figures::CardRow& row : section.rows) {
                bytes += sizeof row + bytesOf(row.label) + bytesOf(row.text);
            }
        }
        return bytes;
    }
    template <typename Other>
    std::size_t operator()(const Other&) const {
        return 0;
    }
};

}  // namespace

std::size_t estimatedBytes(const figures::Figure& figure) {
    return kOverhead + std::visit(BodySize{}, figure.body);
}

FigurePointer FigureCache::find(const FigureKey& key) {
    const auto found = std::find_if(m_entries.begin(), m_entries.end(),
                                    [&](const Entry& entry) { return entry.key == key; });
    if (found == m_entries.end()) {
        return nullptr;
    }
    m_entries.splice(m_entries.begin(), m_entries, found);
    return found->figure;
}

void FigureCache::drop(std::list<Entry>::iterator entry) {
    m_bytes -= entry->bytes;
    m_entries.erase(entry);
}

void FigureCache::insert(const FigureKey& key, FigurePointer figure) {
    const auto old = std::find_if(m_entries.begin(), m_entries.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
    if (old != m_entries.end()) {
        drop(old);
    }
    const std::size_t bytes = estimatedBytes(*figure);
    m_entries.push_front({key, std::move(figure), bytes});
    m_bytes += bytes;
    while (m_bytes > m_maxBytes && m_entries.size() > 1) {
        drop(std::prev(m_entries.end()));
    }
}

void FigureCache::forgetSession(int session) {
    for (auto entry = m_entries.begin(); entry != m_entries.end();) {
        const auto next = std::next(entry);
        const auto& others = entry->key.others;
        const bool isBeside =
            std::any_of(others.begin(), others.end(),
                        [session](const auto& other) { return other.first == session; });
        if (entry->key.session == session || isBeside) {
            drop(entry);
        }
        entry = next;
    }
}

}  // namespace moescope::widgets
