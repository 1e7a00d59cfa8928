"""What an ophthalmologist would dictate, in a small fixed vocabulary."""

NAMES = {
    "MA": ("microaneurysm", "microaneurysms"),
    "HE": ("haemorrhage", "haemorrhages"),
    "EX": ("hard exudate", "hard exudates"),
    "SE": ("cotton-wool spot", "cotton-wool spots"),
    "NV": ("tuft of new vessels", "tufts of new vessels"),
    "PH": ("preretinal haemorrhage", "preretinal haemorrhages"),
}
DIAGNOSES = (
    "No diabetic retinopathy",
    "Mild non-proliferative diabetic retinopathy",
    "Moderate non-proliferative diabetic retinopathy",
    "Severe non-proliferative diabetic retinopathy",
    "Proliferative diabetic retinopathy",
)


def write_report(eye, counts, grade):
    """Write the laterality, the kinds of lesion that are present, and the diagnosis."""
    findings = []
    for kind, (one, many) in NAMES.items():
        if counts[kind] == 1:
            findings.append(f"one {one}")
        elif counts[kind] > 1:
            findings.append(f"{'several' if counts[kind] < 6 else 'many'} {many}")
    listed = ", ".join(findings) or "no findings"
    return f"{eye.capitalize()} eye. {listed.capitalize()}. {DIAGNOSES[grade]}."
