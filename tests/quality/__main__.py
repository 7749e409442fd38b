"""`python -m tests.quality`: the figures, and what is wrong."""

from tests.quality.measure import measure


def main() -> None:
    """Prints what was measured."""
    found = measure()
    print(f"{found.records} records, {found.right} with the right verdict and all fields right: {found.accuracy:.1f} %")
    for fault in found.wrong:
        print(f"  {fault}")
    before, after = found.before.total(), found.after.total()
    shares = f"{100 * before / found.fields:.1f} % before standardising, {100 * after / found.fields:.1f} % after"
    print(f"required fields that are missing: {shares}: {found.fewer:.1f} % fewer, {found.fewer_told:.1f} % of what records tell")
    for name in sorted(found.before):
        print(f"  {name}: {found.before[name]} before, {found.after[name]} after")


if __name__ == "__main__":
    main()
