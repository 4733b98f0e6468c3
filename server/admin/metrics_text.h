// Prometheus's text format: families of samples.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::admin {

// A family is begun by Counter(), Gauge() or Histogram(), and its samples follow at once: that is the
// format's rule.
class MetricsText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  void Counter(std::string_view name, std::string_view help) { Family(name, help, "counter"); }
  void Gauge(std::string_view name, std::string_view help) { Family(name, help, "gauge"); }
  void Histogram(std::string_view name, std::string_view help) { Family(name, help, "histogram"); }

  // A sample of the present family; `suffix` as histograms have them ("_bucket").
  void Sample(uint64_t value, Labels labels = {}, std::string_view suffix = {});
  void Sample(double value, Labels labels = {}, std::string_view suffix = {});

  const std::string& text() const { return text_; }

 private:
  void Family(std::string_view name, std::string_view help, std::string_view type);
  void Begin(Labels labels, std::string_view suffix);

  std::string text_;
  std::string name_;
};

// `value` between the quotes of a label: backslash, quote and line feed are escaped, bytes that are not UTF-8
// or do not print are written as \xHH (with the backslash escaped too), so that different keys stay
// different.
std::string LabelValue(std::string_view value);

}  // namespace sluice::admin
