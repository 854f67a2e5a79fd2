// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/quantities.h"

#include <algorithm>
#include <cmath>

namespace moescope::experiments {

session::Quantity similarityMatrix(const std::string& name, const std::string& longName,
                                   const std::vector<std::string>& labels,
                                   std::span<const double> values) {
    session::Quantity quantity;
    quantity.name = name;
    quantity.axes = {{"row", labels}, {"column", labels}};
    quantity.longName = longName;
    quantity.units = "1";
    quantity.values = NdArray(ElementType::F32, {labels.size(), labels.size()});
    std::transform(values.begin(), values.end(), quantity.values.values<float>().begin(),
                   [](double value) { return static_cast<float>(value); });
    return quantity;
}

session::Quantity scalar(const std::string& name, const std::string& longName, double value) {
    session::Quantity quantity;
    quantity.name = name;
    quantity.axes = {{"value", {}}};
    quantity.longName = longName;
    quantity.units = "1";
    quantity.values = NdArray::from<double>({1}, std::span<const double>(&value, 1));
    return quantity;
}

session::Quantity tokenIndices(std::span<const std::uint64_t> tokens) {
    session::Quantity quantity;
    quantity.name = "kept_tokens";
    quantity.axes = {{"kept_token", {}}};
    quantity.longName = "index of the token";
    quantity.units = "1";
    quantity.values = NdArray::from<std::uint64_t>({tokens.size()}, tokens);
    return quantity;
}

session::Quantity randomDeviation(double dimensions) {
    return scalar("random_deviation", "standard deviation of the cosine of Gaussian vectors",
                  1.0 / std::sqrt(dimensions));
}

std::string notFiniteWarning(const std::string& what, const std::vector<std::string>& labels,
                             std::span<const double> gram) {
    std::string list;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (!std::isfinite(gram[i * labels.size() + i])) {
            list += (list.empty() ? "" : ", ") + labels[i];
        }
    }
    return list.empty() ? list
                        : "NaN or infinity in " + what + " of " + list +
                              ": similarities with it are missing.";
}

}  // namespace moescope::experiments
