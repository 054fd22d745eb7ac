"""Fine-tuning with the Trainer of transformers: resumable, seeded, and whole or not there at all."""

import json
import math
import shutil
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from core.extras import needs_extra
from core.progress import progress, say
from core.train.batches import TokenBatches
from core.train.checkpoints import last_whole, mark_whole
from core.train.data import read_chats
from core.train.examples import IGNORED, Examples, build_examples
from core.train.settings import TrainSettings
from store import UsageError, XlitError

SUMMARY = "xlit-train.json"


def trained(out: Path, settings: TrainSettings) -> bool:
    """Whether `out` holds the model that these settings make.

    Raises `UsageError` when it holds another one, or something else.
    """
    if not out.exists():
        return False
    summary = out / SUMMARY
    if not summary.is_file():
        raise UsageError(f"{out} is there and was not made by `xlit-core train`. Choose another --out.")
    if json.loads(summary.read_text())["digest"] != settings.digest():
        raise UsageError(
            f"{out} holds a model trained with other settings. Choose another --out, or remove it."
        )
    return True


def train(settings: TrainSettings, out: Path, *, name: str = "") -> dict[str, Any]:
    """Fine-tune and write the checkpoint (or the LoRA adapter) to the folder `out`, with its tokenizer.

    Work in progress stays in `OUT.partial` and goes on there after a crash; `out` appears when all is done.
    Returns the summary that is also kept in `out`: settings, losses, and what was cut from the data.
    """
    if trained(out, settings):
        return dict(json.loads((out / SUMMARY).read_text()))
    work = out.with_name(out.name + ".partial")
    _claim(work, settings)
    with needs_extra("local", "Training"):
        tokenizer, model = _load(settings)
    examples = build_examples(tokenizer, read_chats(settings.data), settings.max_length)
    trainer, batches, lengths = _trainer(settings, work, tokenizer, model, examples)
    resume = last_whole(work)
    if resume is not None:
        say(f"Going on from {resume.name} of {settings.steps} steps.")
    with progress(f"train {name or out.name}", settings.steps) as bar:
        trainer.add_callback(_callback(bar))
        trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    final = work / "final"
    trainer.save_model(str(final))
    tokenizer.save_pretrained(str(final))
    log = [entry for entry in trainer.state.log_history if "loss" in entry]
    summary = {
        "digest": settings.digest(),
        "settings": {**asdict(settings), "data": str(settings.data)},
        "examples": len(examples.examples),
        "truncated": examples.truncated,
        "dropped": examples.dropped,
        "padding_share": round(batches.padding_share(lengths), 4),
        "answer_tokens": sum(label != IGNORED for example in examples.examples for label in example.labels),
        "last_loss": log[-1]["loss"] if log else None,
    }
    (final / "train-log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in log))
    (final / SUMMARY).write_text(json.dumps(summary, indent=1) + "\n")
    final.rename(out)
    shutil.rmtree(work)
    return summary


def _claim(work: Path, settings: TrainSettings) -> None:
    """Make the working folder; one left by other settings is started afresh."""
    owner = work / "settings"
    if work.exists() and (not owner.is_file() or owner.read_text() != settings.digest()):
        shutil.rmtree(work)
    work.mkdir(parents=True, exist_ok=True)
    owner.write_text(settings.digest())
    shutil.rmtree(work / "final", ignore_errors=True)


def _load(settings: TrainSettings) -> tuple[Any, Any]:
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(settings.base)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            settings.base, dtype=dtype, use_safetensors=True
        )
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise XlitError(
            f"{settings.base} can't be loaded as a model: {reason}. Give a checkpoint folder (config.json, "
            "model.safetensors, tokenizer) or the name of a model on the hub."
        ) from None
    if settings.adaptation == "lora":
        import peft

        transformers.set_seed(settings.seed)
        lora = peft.LoraConfig(
            r=settings.lora_rank,
            lora_alpha=settings.lora_alpha,
            lora_dropout=settings.lora_dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by a name that will go
            return tokenizer, peft.get_peft_model(model, lora)
    return tokenizer, model


def _schedule(settings: TrainSettings) -> tuple[str, dict[str, Any]]:
    """The scheduler's name and arguments in transformers' terms."""
    if settings.schedule == "inverse_sqrt":
        return "inverse_sqrt", {"timescale": settings.timescale}
    if settings.schedule == "linear_to_tenth":
        return "polynomial", {"lr_end": settings.learning_rate / 10, "power": 1.0}
    return settings.schedule, {}


def _trainer(
    settings: TrainSettings, work: Path, tokenizer: Any, model: Any, examples: Examples
) -> tuple[Any, TokenBatches, list[int]]:
    import torch
    from transformers import DataCollatorForSeq2Seq, PrinterCallback, Trainer, TrainingArguments

    lengths = [len(example) for example in examples.examples]
    batches = TokenBatches(
        lengths, settings.batch_tokens, settings.steps * settings.accumulate, settings.seed
    )
    rows = [{"input_ids": e.input_ids, "labels": e.labels} for e in examples.examples]
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    collate = DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=IGNORED)

    class TokenBatchTrainer(Trainer):
        def get_train_dataloader(self) -> Any:
            loader: Any = torch.utils.data.DataLoader(
                cast(Any, rows), batch_sampler=batches, collate_fn=collate
            )
            return self.accelerator.prepare(loader)

    scheduler, scheduler_arguments = _schedule(settings)
    arguments = TrainingArguments(
        output_dir=str(work),
        max_steps=settings.steps,
        gradient_accumulation_steps=settings.accumulate,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=scheduler,
        lr_scheduler_kwargs=scheduler_arguments,
        warmup_steps=settings.warmup_steps,
        weight_decay=settings.weight_decay,
        adam_beta1=settings.betas[0],
        adam_beta2=settings.betas[1],
        max_grad_norm=settings.clip_norm,
        bf16=torch.cuda.is_available(),
        save_strategy="steps",
        save_steps=settings.save_every,
        save_total_limit=2,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to=[],
        seed=settings.seed,
        data_seed=settings.seed,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        remove_unused_columns=False,
    )
    trainer = TokenBatchTrainer(model=model, args=arguments, train_dataset=rows)
    trainer.remove_callback(PrinterCallback)
    return trainer, batches, lengths


def _callback(bar: Any) -> Any:
    from transformers import TrainerCallback

    class Follow(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.step = state.global_step
            bar.advance(self.step)

        def on_log(
            self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
        ) -> None:
            loss = (logs or {}).get("loss")
            if loss is None:
                return
            if not math.isfinite(loss):
                raise XlitError(
                    f"The loss is {loss} at step {state.global_step}. Lower the learning rate "
                    f"(now {args.learning_rate:g}); checkpoints before this step are kept."
                )
            bar.advance(state.global_step - self.step, f"loss {loss:.3f}")
            self.step = state.global_step

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            mark_whole(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    return Follow()
