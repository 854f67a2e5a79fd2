// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"
#include "core/model/model_spec.h"

#include <array>
#include <functional>
#include <string_view>

namespace moescope::model {

/// What a parameter belongs to, for accounting.
enum class Component {
    Embedding,
    Attention,
    Router,
    RoutedExperts,
    SharedExperts,
    DenseFeedForward,
    Norms,
    Head
};
inline constexpr std::array kComponents{Component::Embedding,     Component::Attention,
                                        Component::Router,        Component::RoutedExperts,
                                        Component::SharedExperts, Component::DenseFeedForward,
                                        Component::Norms,         Component::Head};
[[nodiscard]] std::string_view name(Component component) noexcept;   ///< "routed_experts"
[[nodiscard]] std::string_view title(Component component) noexcept;  ///< "Routed experts"

/// A tensor that the model needs, with the shape it must have.
struct SpecTensor {
    const TensorRef& ref;
    Shape shape;
    Component component = Component::Norms;
    int layer = -1;   ///< -1 outside the layers
    int expert = -1;  ///< routed experts only
};

/// Calls `visit` for each tensor of the spec, embedding first, then layer by layer, head last. A
/// tied head is not visited: its matrix is the embedding. The references are the spec's own.
using VisitTensor = std::function<void(const SpecTensor&)>;
void forEachTensor(const ModelSpec& spec, const VisitTensor& visit);
/// The tensors of one layer.
void forEachTensor(const ModelSpec& spec, int layer, const VisitTensor& visit);
/// All of them, with references that `visit` may change.
void forEachTensor(ModelSpec& spec,
                   const std::function<void(TensorRef&, const SpecTensor&)>& visit);

}  // namespace moescope::model
