// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/device_stream.h"

#include "core/base/error.h"
#include "core/engine/device.h"
#include "core/engine/device_memory.h"
#include "core/engine/expert_batches.h"
#include "core/engine/feed_forward.h"
#include "core/engine/text_split.h"
#include "tests/core/engine/test_devices.h"
#include "tests/support/catch.h"
#include "tests/support/torch.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

using namespace moescope;
using engine::DeviceStream;
using engine::ExpertBatches;

namespace {

/// A matrix whose windows are copied out of it, slowly if asked to.
DeviceStream::Source sourceOf(const at::Tensor& matrix, at::ScalarType wanted) {
    return {.shape = matrix.sizes().vec(),
            .rows = static_cast<std::uint64_t>(matrix.size(0)),
            .columns = static_cast<std::uint64_t>(matrix.size(1)),
            .stored = matrix.scalar_type(),
            .wanted = wanted,
            .fill = [matrix](const checkpoint::Window& window, void* to) {
                const at::Tensor part =
                    matrix
                        .narrow(0, static_cast<std::int64_t>(window.firstRow),
                                static_cast<std::int64_t>(window.rows))
                        .narrow(1, static_cast<std::int64_t>(window.firstColumn),
                                static_cast<std::int64_t>(window.columns))
                        .contiguous();
                std::memcpy(to, part.data_ptr(), part.nbytes());
            }};
}

at::Tensor randomMatrix(std::int64_t rows, std::int64_t columns, at::ScalarType type) {
    return at::randn({rows, columns}).to(type);
}

/// Counts how many of its experts are alive.
struct Counted {
    std::atomic<int> alive{0}, most{0}, loads{0};

    /// Groups of these experts.
    ExpertBatches::Setup setup(DeviceStream& stream, jobs::LaneWorker& lane, int experts,
                               int atOnce) {
        return {.experts = experts,
                .atOnce = atOnce,
                .load = [this, &stream](int index) { return expert(stream, index); },
                .stream = stream,
                .lane = lane};
    }

    engine::FeedForward expert(DeviceStream& stream, int index) {
        ++loads;
        const int now = ++alive;
        int before = most;
        while (now > before && !most.compare_exchange_weak(before, now)) {
        }
        engine::FeedForward result;
        const at::Tensor values =
            stream.upload(sourceOf(at::full({3, 5}, double(index), at::kFloat), at::kFloat),
                          DeviceStream::Order::Copies);
        // The tensor's memory says when it goes.
        result.gate.weight = at::from_blob(
            values.data_ptr(), values.sizes(), [this, values](void*) { --alive; },
            values.options());
        return result;
    }
};

}  // namespace

TEST_CASE("DeviceStream: what arrives is what was sent", "[core][engine][cuda]") {
    for (const at::Device device : tests::devices()) {
        for (const std::uint64_t staging : {1U, 3U * 64U, 3U * 640U, 1U << 20U}) {
            DeviceStream stream(device, staging);
            for (const at::ScalarType stored : {at::kFloat, at::kBFloat16, at::kHalf}) {
                for (const auto order :
                     {DeviceStream::Order::Copies, DeviceStream::Order::Computation}) {
                    CAPTURE(device.str(), staging, int(stored), int(order));
                    // Rows shorter and longer than a staging buffer.
                    for (const auto& [rows, columns] : {std::pair{7, 3}, {5, 301}, {300, 1}}) {
                        const at::Tensor matrix = randomMatrix(rows, columns, stored);
                        const at::Tensor sent = stream.upload(sourceOf(matrix, at::kFloat), order);
                        if (order == DeviceStream::Order::Copies) {
                            stream.uploadMark().holdComputation();
                        }
                        CHECK(sent.device() == device);
                        CHECK(at::equal(sent.cpu(), matrix.to(at::kFloat)));
                    }
                }
            }
        }
    }
}

TEST_CASE("DeviceStream: staging buffers are filled again only when they were read",
          "[core][engine][cuda]") {
    for (const at::Device device : tests::devices()) {
        // Many small buffers' worth under way at once, from two threads and in both orders.
        DeviceStream stream(device, 3U * 128U);
        std::vector<at::Tensor> matrices;
        std::vector<at::Tensor> sent(200);
        for (int i = 0; i < 200; ++i) {
            matrices.push_back(randomMatrix(9, 11, at::kFloat));
        }
        const auto send = [&](std::size_t first, DeviceStream::Order order) {
            for (std::size_t i = first; i < sent.size(); i += 2) {
                sent[i] = stream.upload(sourceOf(matrices[i], at::kFloat), order);
            }
        };
        std::thread other([&] { send(0, DeviceStream::Order::Copies); });
        send(1, DeviceStream::Order::Computation);
        other.join();
        stream.uploadMark().holdComputation();
        for (std::size_t i = 0; i < sent.size(); ++i) {
            CAPTURE(i);
            CHECK(at::equal(sent[i].cpu(), matrices[i]));
        }
    }
}

TEST_CASE("DeviceStream: a source that fails leaves the stream usable", "[core][engine]") {
    DeviceStream stream(at::kCPU, 3U * 64U);
    const at::Tensor matrix = randomMatrix(20, 20, at::kFloat);
    for (int i = 0; i < 10; ++i) {  // more often than there are buffers
        auto source = sourceOf(matrix, at::kFloat);
        source.fill = [](const checkpoint::Window&, void*) {
            throw Error(ErrorCode::FileUnreadable, "gone");
        };
        CHECK_THROWS_AS(stream.upload(source, DeviceStream::Order::Copies), Error);
    }
    const at::Tensor sent =
        stream.upload(sourceOf(matrix, at::kFloat), DeviceStream::Order::Copies);
    stream.uploadMark().wait();
    CHECK(at::equal(sent, matrix));
}

TEST_CASE("ExpertBatches: any order, any size, never more than allowed", "[core][engine][cuda]") {
    constexpr int kExperts = 7;
    for (const at::Device device : tests::devices()) {
        for (int atOnce = 1; atOnce <= kExperts + 1; ++atOnce) {
            CAPTURE(device.str(), atOnce);
            Counted counted;
            {
                DeviceStream stream(device, 3U * 64U);
                jobs::LaneWorker lane("test");
                ExpertBatches groups(counted.setup(stream, lane, kExperts, atOnce));
                groups.start();
                std::mt19937 random(17);
                for (int round = 0; round < 4; ++round) {
                    std::vector<bool> wanted(kExperts, true);
                    for (int e = 0; e < kExperts && round > 0; ++e) {
                        wanted[static_cast<std::size_t>(e)] = random() % 2 == 0;
                    }
                    groups.expect(wanted);
                    for (int e = 0; e < kExperts; ++e) {
                        // Also what was not announced, and not in order.
                        const int expert = round == 3 ? static_cast<int>(random() % kExperts) : e;
                        if (round == 3 || wanted[static_cast<std::size_t>(e)]) {
                            const engine::FeedForward got = groups.get(expert);
                            CHECK(at::equal(got.gate.weight.cpu(),
                                            at::full({3, 5}, double(expert), at::kFloat)));
                        }
                    }
                }
                groups.finish();
                CHECK(counted.most <= atOnce);
                if (atOnce >= kExperts) {
                    CHECK(counted.loads == kExperts);
                }
            }
            CHECK(counted.alive == 0);
        }
    }
}

TEST_CASE("ExpertBatches: several at once, as many as come together", "[core][engine][cuda]") {
    constexpr int kExperts = 11;
    for (const at::Device device : tests::devices()) {
        for (const int atOnce : {1, 2, 5, 8, 40}) {
            CAPTURE(device.str(), atOnce);
            Counted counted;
            {
                DeviceStream stream(device, 3U * 64U);
                jobs::LaneWorker lane("test");
                ExpertBatches groups(counted.setup(stream, lane, kExperts, atOnce));
                for (int round = 0; round < 3; ++round) {
                    for (int first = 0; first < kExperts;) {
                        const int end = first + groups.together(first);
                        REQUIRE(end > first);
                        REQUIRE(end <= kExperts);
                        std::vector<int> some;
                        for (int e = first; e < end; e += 1 + round) {
                            some.push_back(e);
                        }
                        const auto got = groups.get(some);
                        REQUIRE(got.size() == some.size());
                        for (std::size_t i = 0; i < got.size(); ++i) {
                            CHECK(at::equal(got[i].gate.weight.cpu(),
                                            at::full({3, 5}, double(some[i]), at::kFloat)));
                        }
                        first = end;
                    }
                }
                CHECK(counted.most <= atOnce);
            }
            CHECK(counted.alive == 0);
        }
    }
}

TEST_CASE("ExpertBatches: halving, until one is left", "[core][engine]") {
    DeviceStream stream(at::kCPU, 3U * 64U);
    jobs::LaneWorker lane("test");
    Counted counted;
    ExpertBatches groups(counted.setup(stream, lane, 6, 100));
    for (const int expected : {3, 1}) {
        static_cast<void>(groups.get(5));
        CHECK(groups.halve());
        CHECK(groups.atOnce() == expected);
        CHECK(counted.alive == 1);  // whoever asked for it may be in the middle of it
        static_cast<void>(groups.get(0));
        CHECK(counted.alive <= 2 * expected);
        for (int e = 0; e < 6; ++e) {
            CHECK(groups.get(e).gate.weight[0][0].item<float>() == static_cast<float>(e));
        }
    }
    CHECK_FALSE(groups.halve());
    CHECK(groups.get(4).gate.weight[2][4].item<float>() == 4.0F);
}

TEST_CASE("ExpertBatches: memory that ran out on the way is asked for again", "[core][engine]") {
    DeviceStream stream(at::kCPU, 3U * 64U);
    jobs::LaneWorker lane("test");
    Counted counted;
    std::atomic<int> failures{3};  // two in the group that is sent for, one when it is asked for
    ExpertBatches groups({.experts = 4,
                          .atOnce = 4,
                          .load =
                              [&](int expert) {
                                  if (expert >= 2 && failures-- > 0) {
                                      TORCH_CHECK_WITH(OutOfMemoryError, false, "out of memory");
                                  }
                                  return counted.expert(stream, expert);
                              },
                          .stream = stream,
                          .lane = lane});
    groups.start();
    static_cast<void>(groups.get(0));
    CHECK_THROWS_AS(groups.get(2), c10::OutOfMemoryError);
    int relieved = 0;
    const engine::Relief relief = [&] {
        ++relieved;
        return groups.halve();
    };
    failures = 1;
    const auto got = engine::withRelief(relief, [&] { return groups.get(3); });
    CHECK(got.gate.weight[0][0].item<float>() == 3.0F);
    CHECK(relieved <= 1);
    // Nothing left to give up: said in words of ours. Other errors pass.
    const engine::Relief none = [] { return false; };
    CHECK_THROWS_AS(engine::withRelief(
                        none, [] { TORCH_CHECK_WITH(OutOfMemoryError, false, "out of memory"); }),
                    Error);
    CHECK_THROWS_AS(engine::withRelief(none, [] { TORCH_CHECK(false, "a shape"); }), c10::Error);
}

TEST_CASE("withRelief: main memory is not the device's", "[core][engine]") {
    int relieved = 0;
    const engine::Relief relief = [&] {
        ++relieved;
        return false;
    };
    const auto fails = [&](const char* message) {
        engine::withRelief(relief, [&] { TORCH_CHECK(false, message); });
    };
    // As LibTorch 1.13 and 2 say it.
    CHECK_THROWS_AS(
        fails("[enforce fail at alloc_cpu.cpp:66] . DefaultCPUAllocator: can't allocate "
              "memory: you tried to allocate 64 bytes. Error code 12 (Cannot allocate "
              "memory)"),
        c10::Error);
    CHECK(relieved == 0);
    CHECK_THROWS_AS(fails("CUDA error: out of memory"), Error);
    CHECK_THROWS_AS(fails("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
                    Error);
    CHECK(relieved == 2);
    // That nothing is left is said only where that was tried.
    try {
        TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA out of memory.");
    } catch (const c10::Error& error) {
        using engine::ReliefTried;
        CHECK_THAT(engine::deviceFull(error, ReliefTried::Yes).what(),
                   Catch::Contains("nothing is left there"));
        CHECK_THAT(engine::deviceFull(error, ReliefTried::No).what(),
                   !Catch::Contains("nothing is left") && Catch::Contains("ran out (CUDA out"));
    }
}

TEST_CASE("groupBySorting: the groups that counting makes", "[core][engine][cuda]") {
    for (const at::Device device : tests::devices()) {
        for (const auto& [tokens, k, experts] :
             {std::tuple{1, 1, 1}, {5, 2, 9}, {200, 4, 16}, {64, 16, 16}}) {
            CAPTURE(tokens, k, experts);
            engine::Routing routing;
            routing.chosen = std::get<1>(at::rand({tokens, experts}).topk(k, 1));
            routing.weights = at::rand({tokens, k});
            const auto expected = engine::groupByExpert(routing, experts);
            routing.chosen = routing.chosen.to(device);
            routing.weights = routing.weights.to(device);
            const auto groups = engine::groupBySorting(routing, experts);
            REQUIRE(groups.size() == expected.size());
            for (std::size_t e = 0; e < groups.size(); ++e) {
                CHECK(at::equal(groups[e].rows.cpu(), expected[e].rows));
                CHECK(at::equal(groups[e].weights.cpu(), expected[e].weights));
            }
        }
    }
}

TEST_CASE("splitText: whole documents, each once, in turns", "[core][engine]") {
    std::mt19937 random(5);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::uint64_t> offsets{0};
        for (std::uint64_t d = random() % 30U + 1U; d > 0; --d) {
            offsets.push_back(offsets.back() + random() % 50U);
        }
        const std::size_t parts = random() % 4U + 1U;
        const std::uint64_t turn = std::uint64_t{16} << (random() % 10U);
        const auto stretches = engine::splitText(offsets, parts, turn);
        std::uint64_t next = 0;
        std::map<std::size_t, std::uint64_t> rows;
        for (const engine::Stretch& stretch : stretches) {
            CHECK(stretch.part < parts);
            CHECK(stretch.firstToken == next);
            CHECK(stretch.firstRow == rows[stretch.part]);
            next += stretch.tokens;
            rows[stretch.part] += stretch.tokens;
            CHECK(std::find(offsets.begin(), offsets.end(), next) != offsets.end());
        }
        CHECK(next == offsets.back());
        const auto tokens = engine::tokensOfParts(stretches, parts);
        CHECK(std::accumulate(tokens.begin(), tokens.end(), std::uint64_t{0}) == next);
        CHECK(*std::max_element(tokens.begin(), tokens.end()) <=
              engine::mostTokens(offsets, parts));
    }
    // Documents of like length end up in like shares.
    std::vector<std::uint64_t> offsets;
    for (std::uint64_t d = 0; d <= 40; ++d) {
        offsets.push_back(100 * d);
    }
    CHECK(engine::tokensOfParts(engine::splitText(offsets, 2, 512), 2) ==
          std::vector<std::uint64_t>{2000, 2000});
    // Also where the text is shorter than a turn, or a bit longer than a round of them.
    CHECK(engine::tokensOfParts(engine::splitText(offsets, 2, 1U << 20U), 2) ==
          std::vector<std::uint64_t>{2000, 2000});
    CHECK(engine::tokensOfParts(engine::splitText(offsets, 2, 1500), 2) ==
          std::vector<std::uint64_t>{2000, 2000});
    CHECK(engine::mostTokens(offsets, 2) == 2100);  // a document more, with some turn
    CHECK(engine::mostTokens(offsets, 1) == 4000);
    CHECK(engine::mostTokens(std::vector<std::uint64_t>{0, 4000}, 3) == 4000);
    CHECK(engine::mostTokens({}, 2) == 0);
}

TEST_CASE("chooseDevices: lists", "[core][engine]") {
    CHECK(engine::chooseDevices("cpu").size() == 1);
    CHECK(engine::chooseDevices("cpu,cpu").size() == 2);
    for (const char* wrong : {"", "gpu", "cpu,", "cuda:", "cuda:x", ",cpu"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(engine::chooseDevices(wrong), Error);
    }
}
