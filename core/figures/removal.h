// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

/// What sessions keep of removed experts (C4). Private to the builders.
namespace moescope::figures {

/// What a text makes of the model, or of the model without some experts; NaN: not known.
struct RemovalOutcome {
    double loss, accuracy, changed;
    double choices, choicesNormalised;  ///< accuracy on questions; normalised by tokens
};

/// A table of outcomes in row order.
class RemovalTable {
public:
    /// With so many axes before the measures; of the figure's experiment or of another. nullopt
    /// when the session has no such quantity. Throws Error(BadSession) for another shape than
    /// experiments write.
    [[nodiscard]] static std::optional<RemovalTable> read(const BuildContext& context,
                                                          const std::string& quantity,
                                                          std::size_t axes,
                                                          std::string_view experiment = {});
    [[nodiscard]] std::size_t size() const { return m_size; }
    [[nodiscard]] RemovalOutcome at(std::size_t row) const;
    /// Of an axis but the last one.
    [[nodiscard]] const std::vector<std::string>& labels(std::size_t axis) const {
        return m_labels.at(axis);
    }

private:
    std::size_t m_size = 0;
    std::vector<std::vector<std::string>> m_labels;
    NdArray m_values;
    std::optional<NdArray> m_choices;
};

/// Throws Error(Usage) when there is none.
[[nodiscard]] RemovalOutcome intactOutcome(const BuildContext& context);
/// " Intact: loss 2.1234, perplexity ..."
[[nodiscard]] std::string intactText(const BuildContext& context, const RemovalOutcome& intact);

/// A set's text with room to break lines, and no longer than a cell is good for: "0:3, 5:1",
/// "0:3, 0:5, ... (24 in all)".
[[nodiscard]] std::string setForPeople(const std::string& set);

/// Which share of the tokens chooses each expert, layer by layer. Empty where it is not known.
class ExpertShares {
public:
    explicit ExpertShares(const BuildContext& context) : m_context(context) {}
    [[nodiscard]] const std::vector<double>& of(const std::string& layer) const;
    /// Mean over experts of a set as experiments::parseRemoved() reads it; NaN: not known.
    [[nodiscard]] double meanOf(const std::string& set) const;
    [[nodiscard]] double at(const std::string& layer, int expert) const;

private:
    const BuildContext& m_context;
    mutable std::map<std::string, std::vector<double>> m_known;
};

}  // namespace moescope::figures
