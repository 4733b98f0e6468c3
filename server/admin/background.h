// Leaving the terminal: daemonize yes.
#pragma once

#include <string>

#include <tl/expected.hpp>

namespace sluice::admin {

// The process that was started waits until its child can serve, so whoever started it knows by its exit
// status, and can connect at once. Until then the child complains to the terminal.
class Background {
 public:
  // Returns in a child in a session of its own. The parent never returns: it ends with status 0 once the
  // child calls Ready(), or with the child's status where that ends before. To be called before any thread is
  // started.
  static tl::expected<Background, std::string> Enter();

  Background(Background&& other) noexcept : told_(other.told_) { other.told_ = -1; }
  Background& operator=(Background&&) = delete;
  ~Background();

  // Lets the parent go. Standard input, output and error are /dev/null from here on.
  void Ready();

 private:
  explicit Background(int told) : told_(told) {}

  int told_;  // the end of a pipe that the parent reads
};

}  // namespace sluice::admin
