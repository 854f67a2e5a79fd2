// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/id_texts.h"

#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/text/tokenizer.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace moescope::experiments {
namespace {

std::vector<text::TokenId> sortedOnce(std::vector<text::TokenId> ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
}

/// Ascending, those that the text has not.
std::vector<text::TokenId> foreignIds(const session::Part& part,
                                      const std::vector<text::TokenId>& inText) {
    std::vector<text::TokenId> predicted;
    for (const session::Quantity& quantity : part.quantities) {
        if (quantity.name == "predicted" || quantity.name.ends_with("_predicted")) {
            const auto values = quantity.values.values<text::TokenId>();
            const std::vector<text::TokenId> of = sortedOnce({values.begin(), values.end()});
            predicted.insert(predicted.end(), of.begin(), of.end());
        }
    }
    predicted = sortedOnce(std::move(predicted));
    const std::vector<text::TokenId> known = sortedOnce(inText);
    std::vector<text::TokenId> foreign;
    std::set_difference(predicted.begin(), predicted.end(), known.begin(), known.end(),
                        std::back_inserter(foreign));
    return foreign;
}

}  // namespace

void addIdTexts(const engine::ModelContext& model, session::Part& part) {
    const std::vector<text::TokenId> foreign = foreignIds(part, model.corpus.ids);
    if (foreign.empty()) {
        return;
    }
    std::vector<text::TokenId> ids;
    std::vector<std::uint8_t> bytes;
    std::vector<std::uint64_t> offsets{0};
    try {
        const auto tokenizer = text::loadTokenizer(model.checkpoint.tokenizerPath());
        for (const text::TokenId id : foreign) {
            if (const std::string token = tokenizer->tokenBytes(id); !token.empty()) {
                ids.push_back(id);
                bytes.insert(bytes.end(), token.begin(), token.end());
                offsets.push_back(bytes.size());
            }
        }
    } catch (const Error&) {
        return;  // the text came as ids, and is shown as such
    }
    if (ids.empty()) {
        return;
    }
    part.quantities.push_back({"predicted_ids",
                               {{"predicted_id", {}}},
                               "predicted token ids that the text does not have",
                               "1",
                               NdArray::from<std::uint32_t>({ids.size()}, ids)});
    part.quantities.push_back({"predicted_bytes",
                               {{"byte", {}}},
                               "bytes of these tokens, one after the other",
                               "1",
                               NdArray::from<std::uint8_t>({bytes.size()}, bytes)});
    part.quantities.push_back({"predicted_byte_offsets",
                               {{"boundary", {}}},
                               "where the bytes of each of these tokens begin, and their end",
                               "1",
                               NdArray::from<std::uint64_t>({offsets.size()}, offsets)});
}

}  // namespace moescope::experiments
