// LOLWUT: the version, and a picture.
#include <algorithm>

#include "server/commands/arguments.h"
#include "server/commands/handlers.h"

namespace sluice::commands {
namespace {

// Water that runs through a sluice: each line is the one above, moved on, and the gate keeps some of it back.
std::string Draw(size_t columns, size_t rows, uint64_t seed) {
  constexpr std::string_view kWater = "~-~=~.~ ";
  std::string picture;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < columns; ++column) {
      const bool gate = column == columns / 2 && row != rows / 2;
      const size_t flow = column < columns / 2 ? column * 3 + row * 5 : column * 7 + row * row;
      picture += gate ? '#' : kWater[(flow + seed) % kWater.size()];
    }
    picture += '\n';
  }
  return picture;
}

}  // namespace

void Lolwut(Context& ctx) {
  size_t sizes[2] = {48, 9};
  if (ctx.argc() > 2 && IsWord(ctx.arg(1), "VERSION")) {
    if (!ParseInteger(ctx.arg(2))) return ctx.reply.Error(errors::kNotInteger);
    constexpr int64_t kMost[2] = {1000, 200};
    for (size_t i = 3; i < ctx.argc() && i < 5; ++i) {
      const auto size = ParseInteger(ctx.arg(i));
      if (!size) return ctx.reply.Error(errors::kNotInteger);
      sizes[i - 3] = static_cast<size_t>(std::clamp<int64_t>(*size, 1, kMost[i - 3]));
    }
  }
  ctx.reply.Verbatim("txt", errors::Concat({Draw(sizes[0], sizes[1], ctx.now.unix_us / 1000),
                                            "\nSluice ver. ", SLUICE_VERSION, "\n"}));
}

}  // namespace sluice::commands
