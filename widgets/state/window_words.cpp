// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/window_words.h"

#include <QCoreApplication>
#include <QRegularExpression>

#include <array>
#include <vector>

namespace moescope::widgets {
namespace {

struct Phrase {
    const char* engine;  ///< a regular expression
    const char* window;
};

/// Longer phrases stand before those that they contain.
constexpr std::array kPhrases{
    Phrase{"another output file with -o, or drop them with --restart",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords",
                             "another session file, or delete that folder")},
    Phrase{"another output file with -o",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "another session file")},
    Phrase{"as in -o ", QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "as in ")},
    Phrase{"Go on with --resume, or drop it with --restart to begin again",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords",
                             "Start it again to go on, or delete that folder to begin anew")},
    Phrase{"go on with --resume",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "start it again to go on")},
    Phrase{"the same --baseline",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "the same dense baselines")},
    Phrase{"say where it is with --baseline",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords",
                             "say where it is in \"Dense baseline\"")},
    Phrase{"(another|as|out) --baseline",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "\\1 dense baseline")},
    Phrase{"Give --dtype (\\w+)",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "Have it computed in \\1")},
    Phrase{"Give the same --top-k",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords",
                             "Choose the session's own text, which repeats them")},
    Phrase{"a smaller --memory( budget)?",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "a smaller memory budget")},
    Phrase{"with --memory\\b",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "in \"Memory\"")},
    Phrase{"--device cpu", QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "the device cpu")},
    Phrase{"add it to --experiments",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "tick it too")},
    Phrase{"with --context (\\d+)",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "with \\1 in \"Context\"")},
    Phrase{"Leave out --chat", QT_TRANSLATE_NOOP("moescope::widgets::WindowWords",
                                                 "Untick \"Through the model's chat template\"")},
    Phrase{"with --column", QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "in \"Text in\"")},
    Phrase{"--csv makes",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "\"Column of a CSV file\" makes")},
    Phrase{"--jsonl makes",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "\"Field of a JSONL file\" makes")},
    Phrase{"give --text, --prompt, --preset, --csv or --jsonl, or ask for --experiments static",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords",
                             "give one, or tick experiments on weights only")},
    Phrase{"Add (it|them) with: moescope analyze \\.\\.\\. --experiments (\\w+)( --remove [^.]*)?"
           "(?=\\.?$)",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords",
                             "\"New analysis\" adds \\1: experiment \\2")},
    Phrase{"with --kept-tokens, or with --kept-from spread over the whole text",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords",
                             "when \"Kept tokens\" of a new analysis names them")},
    Phrase{"^--prune-list ", QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "Prune list ")},
    Phrase{"^--remove ", QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "Removed experts ")},
    Phrase{"Their mean is drawn with --mean",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords", "\"Tokens\" has their mean")},
    Phrase{"name the other one with --with OTHER\\.h5",
           QT_TRANSLATE_NOOP("moescope::widgets::WindowWords",
                             "open the other one, and choose it in \"Compare with\"")},
    Phrase{"(?<![\\w/-])(?<!analyze )(?<!export )(--[a-z][a-z-]+)", "moescope analyze \\1"},
};

struct Replacement {
    QRegularExpression engine;
    QString window;
};

/// The phrases in the window's language, made once: a run reports thousands of lines.
const std::vector<Replacement>& replacements() {
    static const std::vector<Replacement> made = [] {
        std::vector<Replacement> all;
        all.reserve(kPhrases.size());
        for (const Phrase& phrase : kPhrases) {
            all.push_back(
                {QRegularExpression(QLatin1String(phrase.engine)),
                 QCoreApplication::translate("moescope::widgets::WindowWords", phrase.window)});
        }
        return all;
    }();
    return made;
}

}  // namespace

QString inWindowWords(QString message) {
    if (message.isEmpty()) {
        return message;
    }
    for (const Replacement& each : replacements()) {
        message.replace(each.engine, each.window);
    }
    return message;
}

}  // namespace moescope::widgets
