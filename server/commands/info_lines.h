// INFO's text: sections of "name:value" lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/commands/context.h"
#include "server/commands/errors.h"

namespace sluice::commands {

class InfoLines {
 public:
  void Section(std::string_view name) {
    if (!text_.empty()) text_ += "\r\n";
    text_ += errors::Concat({"# ", name, "\r\n"});
  }
  void Add(std::string_view name, std::string_view value) {
    text_ += errors::Concat({name, ":", value, "\r\n"});
  }
  void Add(std::string_view name, uint64_t value) { Add(name, std::to_string(value)); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// info_commands.cc
void InfoCommandstats(Context& ctx, InfoLines& lines);
void InfoErrorstats(Context& ctx, InfoLines& lines);
void InfoLatencystats(Context& ctx, InfoLines& lines);

}  // namespace sluice::commands
