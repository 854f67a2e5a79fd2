// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/principal.h"

#include "tests/support/catch.h"

using namespace moescope;
using experiments::leadingEigen;

namespace {

at::Tensor withEigenvalues(const at::Tensor& values) {
    at::manual_seed(11);
    const std::int64_t n = values.size(0);
    const at::Tensor q = std::get<0>(at::linalg_qr(at::randn({n, n}, at::kDouble)));
    return q.mm(values.diag()).mm(q.t());
}

}  // namespace

TEST_CASE("leadingEigen: large matrices as LAPACK has them", "[core][experiments]") {
    const std::int64_t n = 1000;
    at::manual_seed(5);
    const at::Tensor x = at::randn({1500, n}, at::kDouble);  // a spectrum without gaps
    const at::Tensor matrix = x.t().mm(x);
    const auto leading = leadingEigen(matrix, 3);
    const auto [values, vectors] = at::linalg_eigh(matrix);
    for (std::int64_t i = 0; i < 3; ++i) {
        CHECK(leading.values[static_cast<std::size_t>(i)] ==
              Approx(values[n - 1 - i].item<double>()).epsilon(1e-9));
        const double dot =
            leading.vectors.select(1, i).dot(vectors.select(1, n - 1 - i)).item<double>();
        CHECK(std::abs(dot) == Approx(1.0).margin(1e-9));
    }
    CHECK(leading.total == Approx(values.sum().item<double>()));
}

TEST_CASE("leadingEigen: eigenvalues that occur several times, and of rank one",
          "[core][experiments]") {
    const std::int64_t n = 900;
    at::Tensor values = at::linspace(0.0, 1.0, n, at::kDouble);
    values.narrow(0, n - 2, 2).fill_(5.0);
    const auto doubled = leadingEigen(withEigenvalues(values), 3);
    CHECK(doubled.values[0] == Approx(5.0));
    CHECK(doubled.values[1] == Approx(5.0));
    CHECK(doubled.values[2] == Approx(values[n - 3].item<double>()).epsilon(1e-6));
    const at::Tensor products = doubled.vectors.t().mm(doubled.vectors);
    CHECK(at::allclose(products, at::eye(3, at::kDouble), 1e-9, 1e-9));

    at::Tensor single = at::zeros({n}, at::kDouble);
    single[3] = 2.0;
    const auto one = leadingEigen(withEigenvalues(single), 2);
    CHECK(one.values[0] == Approx(2.0));
    CHECK(one.values[1] == Approx(0.0).margin(1e-9));
    CHECK(one.explained()[0] == Approx(1.0));
    CHECK(leadingEigen(at::zeros({n, n}, at::kDouble), 2).values == std::vector<double>{0.0, 0.0});
}

TEST_CASE("signsOf: the first of the largest entries decides", "[core][experiments]") {
    const at::Tensor scores = at::tensor({1.0, -3.0, -2.0, 3.0, 0.5, 1.0}, at::kDouble);
    CHECK(experiments::signsOf(scores.view({3, 2})) == std::vector<double>{-1.0, -1.0});
}
