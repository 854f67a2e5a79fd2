// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/source.h"

#include <map>
#include <memory>
#include <string>

namespace moescope::tests {

/// What a made-up session looks like. Layer 0 is dense when `denseFirst`.
struct MadeSession {
    int layers = 4, experts = 8, topK = 2;
    std::uint64_t tokens = 64;
    bool denseFirst = true;
    bool baseline = true;  ///< a row F in the similarity maps
    std::uint64_t documents = 2;
    std::string family{};  ///< the adapter's id
    int hiddenSize = 0, intermediateSize = 64;
};

/// A session in memory with plausible numbers for every experiment, the same at each call.
class MadeSource final : public figures::FigureSource {
public:
    explicit MadeSource(const MadeSession& what);
    [[nodiscard]] const session::Head& head() const override { return m_head; }
    [[nodiscard]] const session::QuantityInfo* find(const session::QuantityId& id) const override;
    [[nodiscard]] NdArray read(const session::QuantityId& id,
                               std::optional<LayerId> layer) const override;
    [[nodiscard]] NdArray readRows(const session::QuantityId& id, std::optional<LayerId> layer,
                                   std::uint64_t first, std::uint64_t count) const override;

    /// Replaces one array.
    void put(const std::string& experiment, const std::string& quantity,
             std::optional<LayerId> layer, NdArray values, std::vector<session::Axis> axes = {});
    void remove(const std::string& experiment);
    [[nodiscard]] session::Head& head() { return m_head; }

private:
    void makeText(const MadeSession& what);
    void makeLayer(const MadeSession& what, LayerId layer);
    void makeStates(const MadeSession& what, LayerId layer);
    void makeNeurons(const MadeSession& what, LayerId layer);
    void makeStatics(const MadeSession& what, LayerId layer);
    void makeParameters();
    void makeRemoval(const MadeSession& what);
    void makeBranches(const MadeSession& what);
    void makeUse(const MadeSession& what, LayerId layer);

    session::Head m_head;
    std::map<session::QuantityId, session::QuantityInfo> m_infos;
    std::map<std::pair<session::QuantityId, int>, NdArray> m_arrays;  // layer, -1 for none
};

}  // namespace moescope::tests
