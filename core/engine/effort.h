// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace moescope::engine {

/// Work in units whose speed is measured before a run (Calibration). What is forgotten, or counted
/// twice, shows in tests/bench/estimates.py: an estimate of time is good within 30 %.
struct Effort {
    double operations = 0.0;  ///< floating-point, in float32 products; one in float64 counts twice
    double modelOperations = 0.0;  ///< the same in products of the model's compute type
    double elements = 0.0;         ///< values that an operation on whole tensors reads and writes
    double steps = 0.0;  ///< values taken one by one in one thread, each about an arc cosine
    double calls = 0.0;  ///< operations on tensors, whatever their size

    Effort& operator+=(const Effort& other) noexcept {
        operations += other.operations;
        modelOperations += other.modelOperations;
        elements += other.elements;
        steps += other.steps;
        calls += other.calls;
        return *this;
    }
    [[nodiscard]] friend Effort operator*(double times, const Effort& effort) noexcept {
        return {times * effort.operations, times * effort.modelOperations, times * effort.elements,
                times * effort.steps, times * effort.calls};
    }
};

}  // namespace moescope::engine
