// Switches a rule on, after a look at its back-test, or off.
import { useState } from "preact/hooks";
import { Button, Dialog, toast, toastError } from "../../ui/basics";
import { enableRule, type Rule, type RuleStatus } from "./api";
import { BackTestPanel, useBackTest } from "./backtest";

export function RuleSwitch({ status, onChanged, hasWords = false }: { status: RuleStatus; onChanged: () => void; hasWords?: boolean }) {
  const { rule } = status;
  const [isAsking, setAsking] = useState(false);
  const flip = () => (rule.enabled ? void change(rule, false, onChanged) : setAsking(true));
  return (
    <>
      <button type="button" class="switch" role="switch" aria-checked={rule.enabled} aria-label={`Rule ${rule.name}`} title={rule.enabled ? "On; click to switch it off" : "Off; click to switch it on"} onClick={flip}>
        <span />
      </button>
      {hasWords && <span class="hint">{rule.enabled ? "on" : "off"}</span>}
      {isAsking && <SwitchOnDialog rule={rule} onClose={() => setAsking(false)} onChanged={onChanged} />}
    </>
  );
}

async function change(rule: Rule, enabled: boolean, onChanged: () => void): Promise<void> {
  try {
    await enableRule(rule, enabled);
    toast(enabled ? `${rule.name} scores from now on` : `${rule.name} is off; what is waiting stays`);
    onChanged();
  } catch (error) {
    toastError(`${rule.name} was not changed`, error);
  }
}

function SwitchOnDialog({ rule, onClose, onChanged }: { rule: Rule; onClose: () => void; onChanged: () => void }) {
  const test = useBackTest(rule);
  const confirm = async () => {
    await change(rule, true, onChanged);
    onClose();
  };
  return (
    <Dialog title={`Switch ${rule.name} on?`} wide onClose={onClose}>
      <div class="promote">
        <BackTestPanel test={test} rule={rule} />
        <div class="row-start">
          <Button kind="primary" disabled={!test.isShown} onClick={confirm}>Switch on</Button>
          <Button kind="quiet" onClick={onClose}>Leave it off</Button>
        </div>
      </div>
    </Dialog>
  );
}
