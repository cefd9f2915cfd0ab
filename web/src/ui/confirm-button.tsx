import type { ReactNode } from 'react';
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from 'react-aria-components';
import styles from './confirm-button.module.css';

interface ConfirmButtonProps {
  label: string;
  /** What is asked, as a question. */
  question: string;
  /** What will happen. */
  children: ReactNode;
  confirm: () => void;
  isDisabled?: boolean;
}

/** A button whose deed is done only after a second thought. */
export function ConfirmButton({ label, question, children, confirm, isDisabled = false }: ConfirmButtonProps) {
  return (
    <DialogTrigger>
      <Button className="button" isDisabled={isDisabled}>
        {label}
      </Button>
      <ModalOverlay className={styles.overlay ?? ''} isDismissable>
        <Modal className={styles.modal ?? ''}>
          <Dialog role="alertdialog" className={styles.dialog ?? ''}>
            {({ close }) => (
              <>
                <Heading slot="title">{question}</Heading>
                <div>{children}</div>
                <div className={styles.actions}>
                  <Button className="button" onPress={close} autoFocus>
                    Leave it
                  </Button>
                  <Button
                    className="button"
                    data-kind="primary"
                    onPress={() => {
                      confirm();
                      close();
                    }}
                  >
                    {label}
                  </Button>
                </div>
              </>
            )}
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}
