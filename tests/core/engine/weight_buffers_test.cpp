// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/weight_buffers.h"

#include "core/base/error.h"
#include "core/engine/expert_queue.h"
#include "tests/support/throws.h"
#include "tests/support/torch.h"

#include <chrono>
#include <cstdint>
#include <cstring>
#include <future>
#include <vector>

using namespace moescope;
using engine::WeightBuffers;

namespace {

constexpr std::size_t kPage = 4096;

bool isReady(const std::future<std::shared_ptr<std::byte>>& future, int milliseconds) {
    return future.wait_for(std::chrono::milliseconds(milliseconds)) == std::future_status::ready;
}

}  // namespace

TEST_CASE("WeightBuffers: pieces are aligned, apart and used again", "[core][engine]") {
    WeightBuffers buffers(8 * kPage);
    auto first = buffers.take(3 * kPage - 5);
    auto second = buffers.take(kPage + 1);
    auto third = buffers.take(3 * kPage);
    for (const auto& piece : {first, second, third}) {
        CHECK(reinterpret_cast<std::uintptr_t>(piece.get()) % kPage == 0);
    }
    std::memset(first.get(), 1, 3 * kPage);
    std::memset(second.get(), 2, 2 * kPage);
    std::memset(third.get(), 3, 3 * kPage);
    CHECK(first.get()[3 * kPage - 1] == std::byte{1});
    CHECK(second.get()[2 * kPage - 1] == std::byte{2});
    // Neighbours that were given back, in whatever order, are one piece again.
    const std::byte* const start = first.get();
    first.reset();
    third.reset();
    second.reset();
    CHECK(buffers.take(8 * kPage).get() == start);
}

TEST_CASE("WeightBuffers: the lane waits for room", "[core][engine]") {
    WeightBuffers buffers(2 * kPage);
    auto held = buffers.take(2 * kPage);
    auto waiting = std::async(std::launch::async, [&] { return buffers.take(kPage); });
    CHECK_FALSE(isReady(waiting, 50));
    const std::byte* const start = held.get();
    held.reset();
    CHECK(waiting.get().get() == start);
}

TEST_CASE("WeightBuffers: nobody waits while the computation waits for them", "[core][engine]") {
    WeightBuffers buffers(2 * kPage);
    const auto held = buffers.take(2 * kPage);
    auto waiting = std::async(std::launch::async, [&] { return buffers.take(kPage); });
    CHECK_FALSE(isReady(waiting, 20));
    std::shared_ptr<std::byte> beside;
    {
        const WeightBuffers::Urgent urgent(buffers);
        beside = waiting.get();
    }
    REQUIRE(beside != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(beside.get()) % kPage == 0);
    std::memset(beside.get(), 1, kPage);
    CHECK(held.get() != beside.get());
}

TEST_CASE("WeightBuffers: closing lets the lane go", "[core][engine]") {
    std::shared_ptr<std::byte> held;
    {
        WeightBuffers buffers(kPage);
        held = buffers.take(kPage);
        auto waiting = std::async(std::launch::async, [&] { return buffers.take(kPage); });
        CHECK_FALSE(isReady(waiting, 20));
        buffers.close();
        tests::checkThrows([&] { static_cast<void>(waiting.get()); }, ErrorCode::Cancelled, {});
        tests::checkThrows([&] { static_cast<void>(buffers.take(1)); }, ErrorCode::Cancelled, {});
    }
    std::memset(held.get(), 1, kPage);  // outlives them
}

TEST_CASE("ExpertQueue: the expert asked for last can be asked for again", "[core][engine]") {
    const bool hold = GENERATE(false, true);
    std::vector<std::future<engine::FeedForward>> coming;
    for (int expert = 0; expert < 3; ++expert) {
        std::promise<engine::FeedForward> read;
        engine::FeedForward weights;
        weights.gate.weight = at::full({1}, expert);
        read.set_value(weights);
        coming.push_back(read.get_future());
    }
    engine::ExpertQueue queue(std::move(coming), nullptr, hold);
    const auto valueOf = [&](int expert) {
        const auto weights = queue.get(expert);
        return weights ? weights->gate.weight.item<int>() : -1;
    };
    CHECK(valueOf(0) == 0);
    CHECK(valueOf(0) == 0);
    CHECK(valueOf(2) == 2);
    CHECK(valueOf(2) == 2);
    CHECK(valueOf(0) == (hold ? 0 : -1));
    CHECK(valueOf(1) == (hold ? 1 : -1));
    queue.finish();
    CHECK(valueOf(2) == -1);
}
