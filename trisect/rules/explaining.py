"""A rulebook in plain words, English and Chinese, for people who do not read TOML or Cedar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trisect.clock import to_text
from trisect.rules.policies import Rule
from trisect.rules.rulebook import Rulebook
from trisect.rules.vocabulary import Purpose, Sanction
from trisect.trust.statements import Role

LANGUAGES = ("en", "zh")
PURPOSES_ZH: Mapping[Purpose, str] = {
    Purpose.SCAM_PREVENTION: "防范诈骗",
    Purpose.PAYMENT_CHECK: "支付核验",
    Purpose.CALL_SCREENING: "来电筛查",
    Purpose.LEAK_TRACING: "泄露溯源",
    Purpose.RIGHTS: "个人权利行使",
    Purpose.SUPERVISION: "监督管理",
}
ROLES_ZH: Mapping[Role, str] = {
    Role.PROVIDER: "服务提供者",
    Role.GOVERNMENT: "政府",
    Role.PROXY: "用户代理",
}
SANCTIONS_ZH: Mapping[Sanction, str] = {
    Sanction.WARN: "警告",
    Sanction.THROTTLE: "限流",
    Sanction.SUSPEND_PURPOSE: "暂停该用途",
    Sanction.SUSPEND: "暂停资格",
    Sanction.EXPEL: "除名",
}


def explain(rulebook: Rulebook, language: str) -> list[str]:
    """Say what a rulebook says, a sentence a line.

    Args:
        rulebook: what is explained.
        language: `en` or `zh`; a rule without a Chinese sentence keeps its English one.
    """
    return list(_chinese(rulebook) if language == "zh" else _english(rulebook))


def _english(rulebook: Rulebook) -> Iterator[str]:
    found, limits, deadlines = rulebook.provisions, rulebook.provisions.limits, rulebook.provisions.deadlines
    yield f"Rulebook {found.version}: {found.title}."
    yield f"It is in force from {to_text(found.valid_from)} until {to_text(found.valid_until)}."
    if found.grace_until and found.grace_until > found.valid_from:
        yield f"Until {to_text(found.grace_until)} an exchange may still go by the rulebook before it."
    yield "Nothing may be exchanged unless a rule allows it, and no red line may be crossed."
    for rule in rulebook.policies.rules:
        if rule.is_red_line:
            yield f"Red line {rule.id}{_clause(rule)}: {rule.sentence} Whoever crosses it: {rule.sanction}."
        else:
            yield f"Rule {rule.id}{_clause(rule)}: {rule.sentence}"
    yield (
        f"A list has at least {limits.min_set:,} and at most {limits.max_set:,} entries, "
        f"and hits are kept for at most {limits.retention_days} days."
    )
    for budget in found.budgets:
        yield (
            f"For {budget.purpose} one party may have {budget.elements_per_day:,} elements a day evaluated by another."
        )
    yield f"Of the values that a kind can have one party may walk {limits.max_walk:.2%} at most, unless it says otherwise here."
    for walk in found.accepted_walks:
        yield f"Up to {walk.share:.2%} of all {walk.kind} values may be walked by one party: {walk.sentence}"
    yield f"Engines that may run: {', '.join(limits.engines)}."
    yield (
        f"A consent counts as a basis from {limits.min_voluntariness} points of voluntariness out of 100; "
        f"a count is told in steps of {limits.count_unit}, with noise of epsilon {limits.count_epsilon:g}."
    )
    yield (
        f"A breach is answered within {deadlines.breach_reply_days} days, a contested listing within "
        f"{deadlines.contest_days} days; stale hits are dropped within {deadlines.stale_hits_days} days, and a leak is "
        f"reported within {deadlines.leak_report_hours} hours."
    )
    yield (
        f"An order is appealed against within {deadlines.appeal_days} days; an emergency suspension lapses within "
        f"{deadlines.suspension_days} days; a receipt that is owed for {deadlines.silence_hours} hours shows in supervision."
    )
    yield f"{found.approvals} officers sign rulebooks, admissions, expulsions and grants of budget."
    yield f"A head of the record older than {limits.max_head_age_s // 60} minutes allows no exchange."
    for role in Role:
        if named := found.witnesses.of(role):
            yield f"Witnesses of the {role} side: {', '.join(named)}."


def _chinese(rulebook: Rulebook) -> Iterator[str]:
    found, limits, deadlines = rulebook.provisions, rulebook.provisions.limits, rulebook.provisions.deadlines
    yield f"规则手册第{found.version}版：{found.title_zh or found.title}。"
    yield f"自{to_text(found.valid_from)}起生效，至{to_text(found.valid_until)}止。"
    if found.grace_until and found.grace_until > found.valid_from:
        yield f"在{to_text(found.grace_until)}之前，交换仍可依据上一版规则手册。"
    yield "没有规则允许的，一律不得交换；任何红线不得触碰。"
    for rule in rulebook.policies.rules:
        sentence = rule.sentence_zh or rule.sentence
        if rule.is_red_line and rule.sanction is not None:
            yield f"红线 {rule.id}{_clause(rule)}：{sentence} 触碰者：{SANCTIONS_ZH[rule.sanction]}。"
        else:
            yield f"规则 {rule.id}{_clause(rule)}：{sentence}"
    yield f"名单至少{limits.min_set:,}条、至多{limits.max_set:,}条；命中结果最多保存{limits.retention_days}天。"
    for budget in found.budgets:
        yield (
            f"用途“{PURPOSES_ZH[budget.purpose]}”：一方每天最多可由另一方计算{budget.elements_per_day:,}个元素。"
        )
    yield f"一方最多可遍历某一类取值空间的{limits.max_walk:.2%}，另有规定的除外。"
    for walk in found.accepted_walks:
        yield f"一方最多可遍历{walk.kind}号码空间的{walk.share:.2%}：{walk.sentence}"
    yield f"允许使用的引擎：{'、'.join(limits.engines)}。"
    yield f"同意的自愿性评分达到{limits.min_voluntariness}分（满分100）方可作为依据；计数结果以{limits.count_unit}为单位，噪声参数ε为{limits.count_epsilon:g}。"
    yield (
        f"违规应在{deadlines.breach_reply_days}天内答复，异议应在{deadlines.contest_days}天内处理，"
        f"过期命中应在{deadlines.stale_hits_days}天内清除，泄露应在{deadlines.leak_report_hours}小时内报告。"
    )
    yield (
        f"对处分应在{deadlines.appeal_days}天内申诉；紧急暂停至多{deadlines.suspension_days}天后自动失效；"
        f"逾{deadlines.silence_hours}小时未给出的回执在监督中显示。"
    )
    yield f"规则手册、准入、除名和预算授予须由{found.approvals}名官员签署。"
    yield f"公开记录的检查点超过{limits.max_head_age_s // 60}分钟未更新的，不得交换。"
    for role in Role:
        if named := found.witnesses.of(role):
            yield f"{ROLES_ZH[role]}一方的见证人：{'、'.join(named)}。"


def _clause(rule: Rule) -> str:
    return f" ({rule.clause})" if rule.clause else ""
