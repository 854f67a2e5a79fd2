// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace moescope::text {

struct ChatMessage {
    std::string role;  ///< "system", "user", "assistant"
    std::string content;
};

/// A model's chat template, rendered as transformers' apply_chat_template does: the part of the
/// Jinja language that published templates use, with trim_blocks and lstrip_blocks. What is not
/// understood is Error(Unsupported) naming it. The result holds the special tokens; encode it
/// without adding any. `strftime_now` gives a fixed day (26 July 2024), so that the same text gives
/// the same tokens on any day. Thread-safe once constructed.
class ChatTemplate {
public:
    /// Special tokens by their names in the configuration: {"bos_token", "<s>"}.
    using SpecialTokens = std::vector<std::pair<std::string, std::string>>;

    /// `name` is how errors call the template. Throws Error(Unsupported).
    ChatTemplate(std::string_view source, SpecialTokens specialTokens, std::string name);
    ~ChatTemplate();
    ChatTemplate(ChatTemplate&&) noexcept;
    ChatTemplate& operator=(ChatTemplate&&) noexcept;

    /// Throws Error(Unsupported), and Error(BadText) where the template itself refuses the
    /// messages.
    [[nodiscard]] std::string render(const std::vector<ChatMessage>& messages,
                                     bool addGenerationPrompt) const;
    /// `text` as one user message, up to where the model would begin to answer.
    [[nodiscard]] std::string renderUserMessage(std::string_view text) const;

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

/// The template of a checkpoint folder: chat_template.jinja, chat_template.json, or the entry of
/// tokenizer_config.json (of several named ones "default"), or what a GGUF file holds. Throws
/// Error(BadTokenizer) where there is none.
[[nodiscard]] ChatTemplate loadChatTemplate(const std::filesystem::path& folder);

}  // namespace moescope::text
