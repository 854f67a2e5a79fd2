// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/weight_file.h"

#include "core/checkpoint/torch_file.h"

namespace moescope::checkpoint {

WeightFile openWeightFile(const std::filesystem::path& path, WeightFormat format,
                          Contents contents) {
    WeightFile result{.file = MappedFile(path), .tensors = {}, .gguf = {}};
    const auto bytes = result.file.bytes();
    switch (format) {
        case WeightFormat::Safetensors: {
            auto header = readSafetensorsHeader(bytes, path.string(), contents);
            result.tensors = std::move(header.entries);
            result.headerEnd = header.bytes;
            break;
        }
        case WeightFormat::Torch: {
            auto file = readTorchFile(bytes, path.string());
            result.tensors = std::move(file.tensors);
            result.headerBegin = file.pickleBegin;
            result.headerEnd = file.pickleEnd;
            break;
        }
        case WeightFormat::Gguf: {
            const auto data =
                contents == Contents::Complete ? gguf::Data::Complete : gguf::Data::MayBeMissing;
            result.gguf = gguf::readFile(bytes, path.string(), data);
            result.headerEnd = result.gguf->headerBytes;
            break;
        }
    }
    return result;
}

}  // namespace moescope::checkpoint
