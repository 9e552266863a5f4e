import type { TrainingControl, TrainingData } from '../../kernel/display/mime';
import { describe, element } from '../widgets/element';
import { icon, setIcon } from '../widgets/icons';

/** What the buttons do. */
export interface ButtonActions {
  /** Asks the kernel for something. */
  control(control: TrainingControl): void;
  /** Asks the kernel for a report of the run, where the view can show it. */
  report?(): void;
  /** Runs the cell again; `null` where the view belongs to none. */
  resume: (() => void) | null;
  /** Whether a checkpoint can be asked for. True by default. */
  saves?: boolean;
}

/** The part of a run that its buttons show. */
type ShownRun = Pick<TrainingData, 'status' | 'cellResumes' | 'saves' | 'step'> &
  Partial<Pick<TrainingData, 'reports'>>;

/** The buttons of a run: its report, and while it is running or paused, pause or resume, stop, save; and what became of a click. */
export class RunButtons {
  readonly node: HTMLElement;
  private readonly notice = element('span', 'joylab-Status-notice');
  private readonly goIcon = icon('pause');
  private readonly go = element('button', 'joylab-Action', [this.goIcon, element('span', '', 'Pause')]);
  private readonly stop = element('button', 'joylab-Action', [icon('stop'), 'Stop']);
  private readonly save = element('button', 'joylab-Action', [icon('save'), 'Save']);
  private readonly report = element('button', 'joylab-Action', [icon('download'), 'Report']);
  private status: TrainingData['status'] = 'lost';
  /** What was asked for and has not happened yet. */
  private asked: TrainingControl | null = null;

  constructor(private readonly actions: ButtonActions) {
    this.notice.setAttribute('role', 'status');
    for (const button of [this.report, this.go, this.stop, this.save]) button.type = 'button';
    this.go.addEventListener('click', () => {
      if (this.status === 'paused') actions.resume?.();
      else this.ask('pause', 'Pausing…');
    });
    this.stop.addEventListener('click', () => this.ask('stop', 'Stopping…'));
    this.save.addEventListener('click', () => actions.control('save'));
    this.report.addEventListener('click', () => {
      this.report.disabled = true;
      this.tell('Making the report…');
      actions.report?.();
    });
    describe(this.report, 'Report: one HTML file of the run before and after training');
    describe(this.stop, 'Stop: the run ends after this step, and running the cell again begins a new one');
    this.node = element('div', 'joylab-Status-buttons', [this.notice, this.report, this.go, this.stop, this.save]);
  }

  /** @param connected whether a kernel knows the run */
  show(data: ShownRun, connected: boolean): void {
    const { status } = data;
    if (status !== this.status) {
      this.tell('');
      this.asked = null;
      this.report.disabled = false;
    }
    this.status = status;
    const paused = status === 'paused';
    const isLive = connected && (paused || status === 'running');
    this.go.hidden = !isLive || (paused && !(data.cellResumes && this.actions.resume));
    this.stop.hidden = !isLive;
    this.save.hidden = !isLive || this.actions.saves === false;
    this.report.hidden = !this.actions.report || !connected || !data.reports || data.step === 0;
    setIcon(this.goIcon, paused ? 'play' : 'pause');
    this.go.lastElementChild!.textContent = paused ? 'Resume' : 'Pause';
    describe(this.go, paused ? 'Resume: run the cell again' : 'Pause: the cell ends, and the run can be resumed');
    this.go.disabled = this.asked !== null;
    this.stop.disabled = this.asked === 'stop';
    this.save.disabled = data.saves === false;
    describe(
      this.save,
      data.saves === false ? 'Save: set outputDir first, a folder for checkpoints' : 'Save a checkpoint',
    );
  }

  /** Takes notice that the report is there, or why it is not. */
  reported(why = ''): void {
    this.report.disabled = false;
    this.tell(why);
  }

  /** Shows what became of a click. */
  tell(text: string): void {
    this.notice.textContent = text;
    this.notice.title = text;
  }

  private ask(control: TrainingControl, text: string): void {
    this.asked = control;
    this.go.disabled = true;
    this.tell(text);
    this.actions.control(control);
  }
}
