// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/mapping_registry.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <unistd.h>

#include <functional>
#include <mutex>
#include <utility>

namespace moescope {
namespace {

std::mutex registryMutex;
/// Changed under the mutex; read without it by a signal handler, which ends the process.
std::atomic<RegisteredMapping*> firstMapping{nullptr};

}  // namespace

RegisteredMapping::RegisteredMapping(const std::byte* data, std::size_t size, std::string path,
                                     const struct stat& file)
    : m_data(data),
      m_size(size),
      m_path(std::move(path)),
      m_device(file.st_dev),
      m_inode(file.st_ino),
      m_owner(file.st_uid) {
    const std::lock_guard lock(registryMutex);
    m_next = firstMapping.load();
    firstMapping = this;
}

RegisteredMapping::~RegisteredMapping() {
    const std::lock_guard lock(registryMutex);
    std::atomic<RegisteredMapping*>* link = &firstMapping;
    while (link->load() != this) {
        link = &link->load()->m_next;
    }
    *link = m_next.load();
}

bool RegisteredMapping::tellsResidency() const noexcept {
    const uid_t user = ::geteuid();
    return user == 0 || user == m_owner || ::access(m_path.c_str(), W_OK) == 0;
}

void RegisteredMapping::requireWhole() const {
    struct stat now {};
    const bool same =
        ::stat(m_path.c_str(), &now) == 0 && now.st_dev == m_device && now.st_ino == m_inode;
    // A file that was replaced or removed lives on as long as it is mapped.
    if (same && static_cast<std::size_t>(now.st_size) < m_size) {
        throw Error(ErrorCode::FileUnreadable,
                    fmt::format("{} was cut short from {} to {} bytes while it was in use. Put the "
                                "whole file back and try again.",
                                m_path, m_size, static_cast<std::size_t>(now.st_size)));
    }
}

const char* RegisteredMapping::pathAt(const void* address) noexcept {
    const auto* byte = static_cast<const std::byte*>(address);
    const std::less_equal<> notAfter;
    for (const RegisteredMapping* entry = firstMapping; entry != nullptr; entry = entry->m_next) {
        if (notAfter(entry->m_data, byte) && !notAfter(entry->m_data + entry->m_size, byte)) {
            return entry->m_path.c_str();
        }
    }
    return nullptr;
}

}  // namespace moescope
